"""Traces of a daemon or worker, where the configuration asks for them."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from smm_rules.cli.exits import Exit, Stop
from smm_rules.config.model import Configuration
from smm_rules.observe.spans import record_spans


@contextmanager
def traced(configuration: Configuration, environment: Mapping[str, str]) -> Iterator[None]:
    """Send spans to the collector that `tracing` names while the block runs; what is left is sent at its end.

    `Stop` when the packages for it aren't there, `SecretUnavailable` when a header's secret can't be had.
    """
    settings = configuration.tracing
    if settings is None:
        yield
        return
    try:
        from smm_rules.observe.opentelemetry import exporting
    except ImportError as error:
        raise Stop(
            f"traces need packages that aren't installed: pip install 'smm-rules[tracing]' ({error})",
            Exit.CONFIGURATION,
        ) from error
    headers = {name: secret.read(environment) for name, secret in (settings.headers or {}).items()}
    recorder = exporting(settings.endpoint, headers, settings.sample, settings.service, socket.gethostname())
    record_spans(recorder)
    try:
        yield
    finally:
        record_spans(None)
        recorder.close()
