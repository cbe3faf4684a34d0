"""What the daemon itself has to tell the operator, and the voice that tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from smm_rules.engine.firing import MessageDraft
from smm_rules.facts import Entity
from smm_rules.ledger.holds import Hold
from smm_rules.ledger.records import DOUBTED, Intent, QueuedMessage
from smm_rules.notify import pages
from smm_rules.rules.model import StepKind

#: Every key of ours begins with this; a dead letter about a dead letter is not told.
PREFIX = "operator:"
_LONGEST_ERROR = 500
_MOST_PROBLEMS = 10


class Queue(Protocol):
    """What the operator's voice needs of the ledger."""

    async def enqueue(self, message: MessageDraft, now: datetime) -> bool:
        """Queue a message. False when its dedup key is already there."""
        ...


class OperatorVoice:
    """Queues the daemon's own messages to the operator's channel, or to the log when none is configured.

    `page_url` is the status page's address: a message ends with a link to what it is about. None without it.
    """

    def __init__(self, queue: Queue, channel: str | None, page_url: str = "") -> None:
        self._queue = queue
        self._channel = channel
        self._page_url = page_url

    async def tell(self, draft: MessageDraft, now: datetime) -> bool:
        """Queue `draft`; False when it has been told before."""
        return await self._queue.enqueue(self.addressed(draft), now)

    async def tell_dead(self, messages: Sequence[QueuedMessage], now: datetime) -> int:
        """Tell of each dead message once; how many were new. Those of the operator's own channel only reach
        the log, where `message.dead` already is: the channel that failed can't carry the news of it.

        A process that died before it told makes it good by handing in all dead messages when it starts."""
        told = 0
        for message in messages:
            draft = self.addressed(dead_letter(message))
            ours = message.dedup_key.startswith(PREFIX)
            if not ours and message.channel != draft.channel:
                told += await self._queue.enqueue(draft, now)
        return told

    def addressed(self, draft: MessageDraft) -> MessageDraft:
        """`draft` with the channel it goes to and the link to its page."""
        if self._page_url and draft.page is not None:
            draft = replace(draft, body=f"{draft.body}\n{self._page_url}/{draft.page}", page=None)
        if self._channel is None:
            return replace(draft, kind=StepKind.LOG, channel="")
        return replace(draft, kind=StepKind.NOTIFY, channel=self._channel)


def unknown_outcome(intent: Intent) -> MessageDraft:
    """An action of which nobody knows whether it happened: a new question each time it is tried anew."""
    again = f":{intent.attempts}" if DOUBTED in intent.evidence else ""
    return _draft(
        f"unknown:{intent.id}{again}",
        f"Unknown outcome: {_action(intent)}",
        f"{_sentence(intent)} The panel gave no usable answer ({_short(intent)}), "
        "so it may have acted or not. It will not be sent again by itself. "
        "Look at the panel, then say what happened:\n"
        f"  smm-rules intents resolve {intent.id} --happened ORDER\n"
        f"  smm-rules intents resolve {intent.id} --did-not",
        "error",
        pages.intent(intent.id),
    )


def answered_late(intent: Intent, made: str) -> MessageDraft:
    """The panel's answer to attempt `intent.attempts` came when that had been resolved otherwise."""
    lines = [
        f"{_sentence(intent)} What became of attempt {intent.attempts} wasn't known for a while, and the "
        "ledger says otherwise; now its answer is here: the panel acted"
        f"{f' and made {made}' if made else ''}. "
        "Nobody watches what it made, and no budget counts it.",
        f"  smm-rules intents show {intent.id}",
    ]
    if made and intent.kind in (StepKind.REORDER, StepKind.ADD):
        lines.append(f"  smm-rules orders track --panel {intent.panel} {made}")
    return _draft(
        f"late:{intent.id}:{intent.attempts}",
        f"It did happen: {_action(intent)}",
        "\n".join(lines),
        "error",
        pages.intent(intent.id),
    )


def held(intent: Intent) -> MessageDraft:
    """An action that waits for the operator because a guard held it."""
    return _draft(
        f"held:{intent.id}:{intent.attempts}",
        f"Held: {_action(intent)}",
        f"{_sentence(intent)} It was not sent: {_short(intent)}. "
        "To let it go ahead, or to end it:\n"
        f"  smm-rules intents approve {intent.id}\n"
        f"  smm-rules intents deny {intent.id}",
        "warning",
        pages.intent(intent.id),
    )


def maybe_bought_before(intent: Intent) -> MessageDraft:
    """A purchase that a program asks for after a hold: the run that was lost may have bought it."""
    return _draft(
        f"held:{intent.id}:{intent.attempts}",
        f"Held: {_action(intent)}",
        f"{_sentence(intent)} A program asks for it, and may have done so before the ledger was put back: "
        "then it was bought already. Look at the panel's own list of orders, then let it go or end it:\n"
        f"  smm-rules intents approve {intent.id}\n"
        f"  smm-rules intents deny {intent.id}",
        "warning",
        pages.intent(intent.id),
    )


def not_sent(intent: Intent) -> MessageDraft:
    """A paid action that was given up without having been sent."""
    return _draft(
        f"not_sent:{intent.id}:{intent.attempts}",
        f"Not sent: {_action(intent)}",
        f"{_sentence(intent)} It was not sent and won't be tried again: {_short(intent)}. "
        f"The panel has not acted. See: smm-rules intents show {intent.id}",
        "warning",
        pages.intent(intent.id),
    )


def template_failed(rule: str, entity: Entity, episode: datetime, step: str, error: str) -> MessageDraft:
    """A template that could not be filled in. A paid step is not sent; a message goes out as plain text."""
    return _draft(
        f"template:{rule}:{entity}:{episode.isoformat()}:{step}",
        f"Template failed: rule {rule}",
        f"The template of step {step} of rule {rule} failed for {entity}: {error[:_LONGEST_ERROR]}. "
        "A paid action is not sent; a message goes out with plain facts in place of the text. "
        "Correct the rule and try it with: smm-rules check",
        "error",
        pages.rule(rule),
    )


def on_hold(hold: Hold) -> MessageDraft:
    """The ledger may have forgotten what was done; told once a hold."""
    return _draft(
        f"on_hold:{hold.at.isoformat()}",
        "On hold: nothing is sent",
        f"{hold.reason.sentence} What was done since may be missing in it and would be done again, so the "
        "daemon reads and plans but sends nothing. See what may have been forgotten, compare it with the "
        "panels, then let it act again:\n"
        "  smm-rules hold show\n"
        "  smm-rules hold confirm",
        "error",
        pages.HOME,
    )


def stamp_failing(trouble: str, since: datetime) -> MessageDraft:
    """Nothing can be stamped, so nothing is sent. `since` names the occurrence: it is told once."""
    return _draft(
        f"stamp_failing:{since.isoformat()}",
        "Nothing is sent: the ledger's stamp can't be used",
        f"{_capitalized(trouble)}. The daemon reads and plans as ever; what is planned waits and is sent by "
        "itself once the stamp can be written again. See what is wrong with:\n"
        "  smm-rules doctor",
        "error",
    )


def stamp_recovered(since: datetime, at: datetime) -> MessageDraft:
    """The end of the trouble that began at `since`."""
    return _draft(
        f"stamp_recovered:{since.isoformat()}",
        "The ledger's stamp can be used again",
        f"The stamp couldn't be used from {since.isoformat()} to {at.isoformat()}. "
        "What waited meanwhile is sent now, unless the ledger is on hold (smm-rules status).",
        "info",
    )


def over_sweep_limit(panel: str, rule: str, count: int, at: datetime) -> MessageDraft:
    """A rule that only tells and would have told too much in one sweep. Told once a day, panel and rule."""
    return _draft(
        f"sweep:{panel}:{rule}:{at.date().isoformat()}",
        f"Rule {rule} is over its limit on {panel}",
        f"Rule {rule} would have fired {count} times in one look at panel {panel}, which is more than its "
        "per_sweep limit. Of these it told nothing; it tells them at a look at which they are fewer. Look "
        "whether the panel or the rule is wrong, or raise the limit.",
        "error",
        pages.rule(rule),
    )


def evaluation_failed(
    panel: str, rule: str, entity: Entity, count: int, error: str, at: datetime
) -> MessageDraft:
    """A rule that could not be evaluated, a fault of the daemon. Told once a day, panel and rule."""
    return _draft(
        f"evaluation:{panel}:{rule}:{at.date().isoformat()}",
        f"Rule {rule} can't be evaluated on {panel}",
        f"Rule {rule} failed for {entity}, {count} in all, at one look at panel {panel}: "
        f"{error[:_LONGEST_ERROR]}. It neither fires nor resolves for them until this is mended; other rules "
        "go on. Report the event rule.evaluation_failed with its traceback from the daemon's log.",
        "error",
        pages.rule(rule),
    )


def poll_failing(panel: str, look: str, since: datetime, failures: int, error: str) -> MessageDraft:
    """A panel that can't be read. `since` names the outage: it is told once."""
    return _draft(
        f"poll_failing:{panel}:{look}:{since.isoformat()}",
        f"Panel {panel}: {look} can't be read",
        f"Reading {look} from panel {panel} has failed {failures} times since {since.isoformat()}: "
        f"{error[:_LONGEST_ERROR]}. Rules keep their state and don't fire on what can't be read.",
        "error",
        pages.panel(panel),
    )


def poll_recovered(panel: str, look: str, since: datetime, at: datetime) -> MessageDraft:
    """The end of the outage that began at `since`."""
    return _draft(
        f"poll_recovered:{panel}:{look}:{since.isoformat()}",
        f"Panel {panel}: {look} can be read again",
        f"Reading {look} from panel {panel} failed from {since.isoformat()} to {at.isoformat()} "
        "and works again.",
        "info",
        pages.panel(panel),
    )


def source_failing(source: str, since: datetime, failures: int, error: str) -> MessageDraft:
    """A database of orders that can't be read. `since` names the outage: it is told once."""
    return _draft(
        f"source_failing:{source}:{since.isoformat()}",
        f"Source {source} can't be read",
        f"Reading orders from the database {source} has failed {failures} times since {since.isoformat()}: "
        f"{error[:_LONGEST_ERROR]}. Orders that were placed meanwhile aren't watched yet; none is lost. "
        f"See what is wrong with: smm-rules orders source try {source}",
        "error",
    )


def source_recovered(source: str, since: datetime, at: datetime) -> MessageDraft:
    """The end of the outage that began at `since`."""
    return _draft(
        f"source_recovered:{source}:{since.isoformat()}",
        f"Source {source} can be read again",
        f"Reading orders from the database {source} failed from {since.isoformat()} to {at.isoformat()} and "
        "works again.",
        "info",
    )


def reload_failed(problems: Sequence[str], at: datetime) -> MessageDraft:
    """A reload that was refused; the rules before it stay in force."""
    shown = list(problems[:_MOST_PROBLEMS])
    if len(problems) > _MOST_PROBLEMS:
        shown.append(f"… and {len(problems) - _MOST_PROBLEMS} more")
    return _draft(
        f"reload:{at.isoformat()}",
        "Reload refused",
        "The new rules or configuration can't be used; what was in force stays in force.\n"
        + "\n".join(shown),
        "error",
    )


def page_not_served(error: str, started_at: datetime) -> MessageDraft:
    """The status page can't be served. Told once for each reason while the daemon runs."""
    return _draft(
        f"page:{started_at.isoformat()}:{error[:_LONGEST_ERROR]}",
        "The status page is not there",
        f"The status page can't be served: {error[:_LONGEST_ERROR]}. The daemon goes on with its work and "
        "tries again every half a minute.",
        "warning",
    )


def intake_not_served(error: str, started_at: datetime) -> MessageDraft:
    """The HTTP intake can't be served. Told once for each reason while the process runs."""
    return _draft(
        f"intake:{started_at.isoformat()}:{error[:_LONGEST_ERROR]}",
        "The HTTP intake is not there",
        f"The HTTP intake can't be served, so programs can't hand over orders: {error[:_LONGEST_ERROR]}. The "
        "rest goes on, and it is tried again every half a minute.",
        "warning",
    )


def dead_letter(message: QueuedMessage) -> MessageDraft:
    """A message that could not be delivered and won't be tried again."""
    return _draft(
        # A message that was revived and died again is news.
        f"dead:{message.id}:{message.revived}" if message.revived else f"dead:{message.id}",
        f"Message not delivered: {message.title or message.dedup_key}",
        f'A message to channel "{message.channel}" was given up after {message.attempts} failures: '
        f"{message.last_error[:_LONGEST_ERROR]}. Once the channel works again: smm-rules outbox retry "
        f"{message.id}\nIt said:\n{message.body}",
        "error",
        pages.MESSAGES,
    )


def _draft(key: str, title: str, body: str, level: str, page: str | None = None) -> MessageDraft:
    return MessageDraft(f"{PREFIX}{key}", StepKind.LOG, "", title, body, level, page=page)


def _action(intent: Intent) -> str:
    return f"{_called(intent)} on {intent.panel}"


def _sentence(intent: Intent) -> str:
    if intent.kind is StepKind.ADD:
        return f"You asked for a new order on panel {intent.panel}."
    return f"Rule {intent.rule} asked for a {_called(intent)} on panel {intent.panel} for {intent.entity}."


def _called(intent: Intent) -> str:
    return "order" if intent.kind is StepKind.ADD else intent.kind.value


def _short(intent: Intent) -> str:
    return (intent.message or intent.reason or "no reason was noted")[:_LONGEST_ERROR].rstrip(".")


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1 : _LONGEST_ERROR + 1].rstrip(".")
