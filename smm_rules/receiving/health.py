"""`GET /healthz`: whether the process gets on."""

from __future__ import annotations

from starlette.responses import Response

from smm_rules.receiving.call import Call, answered
from smm_rules.receiving.models import HealthAnswer


async def health(call: Call) -> Response:
    """200 while it does, 503 with the jobs that don't."""
    stuck = list(call.reception.host.stuck())
    told = HealthAnswer(status="stuck" if stuck else "ok", stuck=stuck)
    return answered(told.model_dump_json(), 503 if stuck else 200)
