"""What one run of the daemon hands on to the next, in the detail of its heartbeat.

Rules are remembered by name, so a rule rewritten while the daemon was down must be found out; and an outage
that goes on over a restart must not be told a second time, nor its end be kept quiet.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from smm_rules.polling.standing import Outage

#: Why nothing could be stamped, and since when; not there while all is well.
STAMP, STAMP_SINCE = "stamp", "stamp_since"
#: Where the HTTP intake is served, or why it isn't; not there where none is wanted.
HTTP_INTAKE = "http_intake"
#: The day whose statement was sent last.
STATEMENT = "statement"
_QUESTIONS, _VERSIONS, _OUTAGES = "questions", "versions", "outages"


@dataclass(frozen=True, slots=True)
class Carried:
    """`questions` (see `rules_in_force.question`) and `versions` are of the rules in force, by name;
    `outages` are the looks that were failing, by panel and kind of look."""

    questions: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    outages: Mapping[str, Mapping[str, Outage]] = field(default_factory=dict)

    def written(self) -> dict[str, str]:
        """As entries of a heartbeat's detail."""
        outages = {
            panel: {
                what: [outage.since.isoformat(), outage.failures, outage.error]
                for what, outage in ours.items()
            }
            for panel, ours in self.outages.items()
            if ours
        }
        return {
            _QUESTIONS: json.dumps(dict(self.questions)),
            _VERSIONS: json.dumps(dict(self.versions)),
            _OUTAGES: json.dumps(outages),
        }


def read_carried(detail: Mapping[str, str]) -> Carried:
    """What the last run handed on. What can't be read is left out: then it is told once more at worst.

    Pauses are not handed on: a restart is a reason to ask again.
    """
    outages = {panel: _outages(ours) for panel, ours in _mapping(detail.get(_OUTAGES)).items()}
    return Carried(_texts(detail.get(_QUESTIONS)), _texts(detail.get(_VERSIONS)), outages)


def _outages(written: Any) -> dict[str, Outage]:
    try:
        return {
            str(what): Outage(
                datetime.fromisoformat(since), int(failures), str(error), datetime.fromisoformat(since)
            )
            for what, (since, failures, error) in dict(written).items()
        }
    except (TypeError, ValueError):
        return {}


def _texts(text: str | None) -> dict[str, str]:
    return {name: str(value) for name, value in _mapping(text).items()}


def _mapping(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
