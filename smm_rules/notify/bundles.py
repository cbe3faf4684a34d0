"""What goes out as one message: a message alone, a group, or all that was kept back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from smm_rules.engine.firing import Telling
from smm_rules.ledger.alerts import SentAs
from smm_rules.ledger.records import QueuedMessage
from smm_rules.notify.channel import JSON_BODY, Message
from smm_rules.notify.schedule import rank
from smm_rules.notify.stages import Reason
from smm_rules.rules.model import StepKind

#: A digest shows so many of its messages, and so much of each.
MOST_LINES = 20
_LONGEST_LINE = 200


@dataclass(frozen=True, slots=True)
class Bundle:
    """Messages to one channel that go out as one. `group` is the name of their group, or empty."""

    members: tuple[QueuedMessage, ...]
    group: str = ""

    @property
    def channel(self) -> str:
        return self.members[0].channel

    @property
    def message(self) -> Message:
        """What is handed to the channel: the message itself, or a digest of several."""
        return handed(self.members[0]) if len(self.members) == 1 else digest(self.members)

    @property
    def sent_as(self) -> SentAs:
        """What is noted once the channel took it."""
        if len(self.members) == 1:
            return SentAs(Reason.SENT.value, self.group)
        return SentAs(Reason.GROUPED.value, self.group, digest_key(self.members))


def handed(message: QueuedMessage) -> Message:
    """One message as a channel gets it."""
    media_type = JSON_BODY if message.kind is StepKind.WEBHOOK else "text/plain"
    return Message(message.dedup_key, message.title, message.body, message.level, media_type)


def digest_key(members: Sequence[QueuedMessage]) -> str:
    """The same for the same messages, so that a receiver knows another attempt, and for no others."""
    text = "\n".join(sorted(member.dedup_key for member in members))
    return f"digest:{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def digest(members: Sequence[QueuedMessage]) -> Message:
    """One message that tells of all: how many, of which rules, and the first lines of the first ones."""
    level = max((member.level for member in members), key=rank)
    shown = [_line(member) for member in members[:MOST_LINES]]
    left = len(members) - len(shown)
    if left:
        shown.append(f"… and {left} more: smm-rules alerts list")
    return Message(digest_key(members), _title(members), "\n".join(shown), level)


def _title(members: Sequence[QueuedMessage]) -> str:
    over = sum(member.telling == Telling.RESOLVED for member in members)
    rules = Counter(_rule(member) for member in members)
    named = ", ".join(f"{rule} {count}" for rule, count in rules.most_common(3))
    more = ", …" if len(rules) > 3 else ""
    ended = f", {over} of them over" if over else ""
    return f"{len(members)} alerts{ended} ({named}{more})"


def _rule(member: QueuedMessage) -> str:
    return member.alert.partition(":")[0] or "smm-rules"


def _line(member: QueuedMessage) -> str:
    first = (member.body.strip().splitlines() or [""])[0]
    text = f"{member.title}: {first}" if member.title and first else member.title or first
    if len(text) > _LONGEST_LINE:
        text = text[: _LONGEST_LINE - 1] + "…"
    over = "over: " if member.telling == Telling.RESOLVED else ""
    return f"- {over}{text}"
