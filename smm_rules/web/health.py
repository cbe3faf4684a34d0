"""Whether the process lives and gets on, for whoever restarts it; whether it is ready to do its work."""

from __future__ import annotations

from datetime import timedelta

from starlette.responses import JSONResponse, Response

from smm_rules.ledger.port import LedgerError
from smm_rules.standing.overview import SILENT_AFTER
from smm_rules.web.visit import Visit


async def health(visit: Visit) -> Response:
    """200 while the daemon gets on; 503 with the jobs that don't. Without a daemon in this process, that the
    page answers."""
    engine = visit.site.engine
    if engine is None:
        return JSONResponse({"status": "ok", "daemon": "not in this process"})
    stuck = engine.stuck()
    rested = max(engine.at_rest().values(), default=0.0)
    told = {
        "status": "stuck" if stuck else "ok",
        "stuck": list(stuck),
        "longest_rest_seconds": round(rested, 1),
    }
    return JSONResponse(told, 503 if stuck else 200)


async def readiness(visit: Visit) -> Response:
    """200 once ledger and rules can be used and every panel was looked at; 503 with what is missing."""
    missing = await _missing(visit)
    told = {"status": "not ready" if missing else "ready", "missing": missing}
    return JSONResponse(told, 503 if missing else 200)


async def _missing(visit: Visit) -> list[str]:
    missing = []
    try:
        beat = await visit.site.ledger.heartbeat()
    except LedgerError as error:
        return [f"the ledger can't be read: {error}"]
    if visit.site.rules() is None:
        missing.append("the rules can't be read")
    engine = visit.site.engine
    if engine is not None:
        unready = engine.unready()
        return [*missing, unready] if unready else missing
    silence: timedelta | None = None if beat is None else visit.now - beat.beat_at
    if silence is None or silence > SILENT_AFTER:
        missing.append("no daemon has been at work on the ledger for two minutes")
    return missing
