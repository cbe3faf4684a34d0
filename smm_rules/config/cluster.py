"""How workers on one PostgreSQL ledger share the work."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from smm_rules.document.types import Duration, Settings, at_least

SHORTEST_LEASE = timedelta(seconds=3)


class ClusterSettings(Settings):
    """Settings of `smm-rules worker`.

    `lease` is how long a worker that says nothing counts as alive: after that its actions under way are in
    doubt and others take over. `looks` and `actions` are how many jobs of each kind one worker does at once.
    `slice_size` is how many due orders one job reads, `slices` how many such jobs there are at once for one
    panel, over all workers.
    """

    lease: Annotated[Duration, at_least(SHORTEST_LEASE)] = timedelta(seconds=10)
    looks: Annotated[int, Field(ge=1, le=1000)] = 16
    actions: Annotated[int, Field(ge=1, le=1000)] = 8
    slice_size: Annotated[int, Field(ge=1, le=10_000)] = 500
    slices: Annotated[int, Field(ge=1, le=100)] = 2
