"""The one name of an episode's whole story: what was seen, what fired, the panel calls, the messages.

It is worked out from what names the episode: nothing has to be stored or handed on, and a log from before a
restart and one from after it agree.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from hashlib import blake2s

from smm_rules.facts import Entity

#: Twelve hexadecimal digits: among a million episodes the chance that any two share one is one in 500.
_BYTES = 6
#: `RULE:ENTITY:EPISODE:OCCASION:NUMBER:…`, the key of a message that a firing asked for.
_OF_FIRING = re.compile(
    r"(?P<rule>[^:]+):(?P<entity>.+):(?P<episode>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?[+-]\d\d:\d\d)"
    r":(?:fired|reminded|resolved):\d+:"
)
#: The key of a message of the daemon about one action.
_OF_INTENT = re.compile(r"operator:(?:unknown|held|not_sent):(\d+)(?![^:])")


def correlation_of(rule: str, entity: Entity | str, episode: datetime) -> str:
    """The correlation of what `rule` does about `entity` in the episode that began at `episode`."""
    name = f"{rule}:{entity}:{episode.astimezone(UTC).isoformat()}"
    return blake2s(name.encode("utf-8", "surrogatepass"), digest_size=_BYTES).hexdigest()


def correlation_of_message(dedup_key: str) -> dict[str, object]:
    """The log fields that tie a message to its story by its key: `correlation`, or the `intent` it tells of.

    Nothing for a message that belongs to no episode, such as one of the daemon about a panel.
    """
    found = _OF_FIRING.match(dedup_key)
    if found:
        episode = datetime.fromisoformat(found["episode"])
        return {"correlation": correlation_of(found["rule"], found["entity"], episode)}
    about = _OF_INTENT.match(dedup_key)
    return {"intent": int(about[1])} if about else {}
