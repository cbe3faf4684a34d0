"""What must be said of a time in which little was recorded: an empty table alone looks like calm."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from smm_rules.rehearsal.replay.model import Span


def remarks(since: datetime | None, recorded: int, span: Span) -> Iterator[str]:
    """`since` is when the first observation was made, None where there is none until the end of `span`;
    `recorded` is how many were made in it."""
    if since is None:
        yield (
            f"Nothing was recorded until {_moment(span.until)}, so nothing could be played: "
            "no daemon had run by then, or `retention` has dropped what it saw."
        )
    elif not recorded:
        yield (
            f"Nothing was recorded from {_moment(span.since)} to {_moment(span.until)}: "
            "nothing changed, or no daemon ran. What is told follows from what was known before."
        )
    elif span.since < since:
        yield f"Nothing is recorded from before {_moment(since)}: of that time nothing can be told."


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%MZ}"
