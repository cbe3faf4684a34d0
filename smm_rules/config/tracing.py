"""Traces: where they go, with which headers, and how many."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from smm_rules.config.addresses import SecureUrl
from smm_rules.config.secrets import Secret, SecretReference
from smm_rules.document.types import FilledText, Settings


class TracingSettings(Settings):
    """A collector of OpenTelemetry traces that takes OTLP over HTTP at `endpoint`.

    `headers` are sent along, such as a token's. `sample` is the share of traces kept, from 0 to 1.
    """

    endpoint: SecureUrl
    headers: dict[FilledText, Secret] | None = None
    sample: Annotated[float, Field(ge=0, le=1, strict=False)] = 1.0
    service: FilledText = "smm-rules"

    @property
    def references(self) -> tuple[SecretReference, ...]:
        """Every secret of it."""
        return tuple((self.headers or {}).values())
