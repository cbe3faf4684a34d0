"""A panel that answers actions by a script instead of over a network."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from smm_rules.panel.answers import Accepted, Refused
from smm_rules.panel.errors import Ambiguous, NotSent, RateLimited, Rejected
from smm_rules.panel.refusals import refusal_reason
from smm_rules.rules.model import StepKind


class Manner(StrEnum):
    """How a call ends. LOST: it went out and no answer came back; UNREACHABLE: it never went out."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    LOST = "lost"
    UNREACHABLE = "unreachable"
    LIMITED = "limited"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `text` is the ID of what was made (a new one when empty), or the words of a refusal."""

    manner: Manner = Manner.ACCEPTED
    text: str = ""


ACCEPTED = Answer()


@dataclass(slots=True)
class Script:
    """The answers to the calls of each kind, in order; the last one is given to all calls after it.

    A kind without answers is accepted. `new_id` names what is made: the kind and how many came before.
    """

    new_id: Callable[[StepKind, int], str]
    answers: Mapping[StepKind, Sequence[Answer]] = field(default_factory=dict)
    _asked: Counter[StepKind] = field(default_factory=Counter)
    _made: Counter[StepKind] = field(default_factory=Counter)

    def next(self, kind: StepKind) -> Answer:
        """The answer to the next call of `kind`."""
        answers = self.answers.get(kind) or (ACCEPTED,)
        answer = answers[min(self._asked[kind], len(answers) - 1)]
        self._asked[kind] += 1
        return answer

    def id(self, kind: StepKind, answer: Answer) -> str:
        """The ID of what an accepted call made."""
        if answer.text:
            return answer.text
        self._made[kind] += 1
        return self.new_id(kind, self._made[kind])


class ScriptedPanel:
    """The acting half of a panel's client, played by a script. `calls` is what it was asked, by kind."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.calls: defaultdict[StepKind, list[dict[str, str]]] = defaultdict(list)

    async def ready(self) -> None:
        """There is no request budget to wait for."""

    async def add(self, parameters: Mapping[str, str]) -> str:
        return self._answer(StepKind.REORDER, dict(parameters))

    async def refill(self, order: str) -> Accepted:
        return Accepted(self._answer(StepKind.REFILL, {"order": order}))

    async def cancel(self, orders: Sequence[str]) -> dict[str, Accepted | Refused]:
        return {order: Accepted(self._answer(StepKind.CANCEL, {"order": order})) for order in orders}

    def _answer(self, kind: StepKind, parameters: dict[str, str]) -> str:
        self.calls[kind].append(parameters)
        answer = self._script.next(kind)
        match answer.manner:
            case Manner.ACCEPTED:
                return self._script.id(kind, answer)
            case Manner.REFUSED:
                raise Rejected(answer.text, refusal_reason(answer.text))
            case Manner.LOST:
                raise Ambiguous("the answer got lost")
            case Manner.UNREACHABLE:
                raise NotSent("the panel could not be reached")
            case Manner.LIMITED:
                raise RateLimited("too many requests")
