"""A firing's steps, in order: what to tell and do first, and what follows when an action has settled.

Messages are queued as they are met; at the first acting step one intent is planned and the walk stops.
"""

from __future__ import annotations

from dataclasses import replace

from smm_rules.engine.drafts import intent_draft
from smm_rules.engine.firing import Continuation, Firing, MessageDraft, Occasion
from smm_rules.engine.messages import message_drafts
from smm_rules.engine.rendering import TemplateContext, template_context

OTHERWISE = "otherwise"
#: What the steps of a firing are called, by the occasion: `do.0`, `remind.1`, `done.0`.
SECTIONS = {Occasion.FIRED: "do", Occasion.REMINDED: "remind", Occasion.RESOLVED: "done"}

#: The states of an intent after which nothing more comes of its firing; the caller tells the operator.
_ENDS = frozenset({"not_sent", "denied"})
_OPEN = frozenset({"planned", "held", "sending", "unknown"})
#: Parts a step's place from the number of its attempts on other panels: `do.0+1`.
_ELSEWHERE = "+"


def begin(firing: Firing) -> Continuation:
    """The first of what `firing` asks for."""
    return _walk(firing, SECTIONS[firing.occasion], 0, template_context(firing, "", ""))


def follow(firing: Firing, step: str, state: str, result: str = "", refusal: str = "") -> Continuation:
    """What comes after the intent of `step` (such as `do.0`) reached `state`, an intent state's text.

    confirmed → the steps after it, with the panel's ID in `result`; rejected → `otherwise` from its start
    with the panel's words in `refusal`, and nothing more of `do`; rejected within `otherwise`, not_sent
    for good and denied → nothing more. While the outcome is open nothing comes and nothing is finished.
    Raises `ValueError` for a state or step that doesn't exist.
    """
    section, index = _place(firing, step)
    if state in _OPEN:
        return Continuation(finished=False)
    if state in _ENDS or (state == "rejected" and section == OTHERWISE):
        return Continuation()
    context = template_context(firing, result, refusal)
    if state == "confirmed":
        return _walk(firing, section, index + 1, context)
    if state == "rejected":
        return _walk(firing, OTHERWISE, 0, context)
    raise ValueError(f"{state!r} is not a state of an intent")


def elsewhere(step: str) -> str:
    """What the next attempt of a step on another panel is called: `do.0` → `do.0+1` → `do.0+2`.

    Each is an intent of its own with a name of its own, so none is ever written twice.
    """
    place, _, number = step.partition(_ELSEWHERE)
    return f"{place}{_ELSEWHERE}{int(number or 0) + 1}"


def place_of(step: str) -> str:
    """The place of a step in its rule, whichever attempt it is: `do.0+1` → `do.0`."""
    return step.partition(_ELSEWHERE)[0]


def _place(firing: Firing, step: str) -> tuple[str, int]:
    section, _, index = place_of(step).partition(".")
    steps = firing.otherwise if section == OTHERWISE else firing.steps
    if section in (OTHERWISE, SECTIONS[firing.occasion]) and index.isdecimal() and int(index) < len(steps):
        return section, int(index)
    raise ValueError(f"{firing.key} has no step {step!r}")


def _walk(firing: Firing, section: str, start: int, context: TemplateContext) -> Continuation:
    messages: list[MessageDraft] = []
    steps = firing.otherwise if section == OTHERWISE else firing.steps
    for index, step in enumerate(steps[start:], start):
        place = f"{section}.{index}"
        if step.acts:
            draft = replace(intent_draft(firing, step, place, context), refusal=str(context.extra["refusal"]))
            # A draft that failed is never sent, so nothing will settle it.
            return Continuation(tuple(messages), draft, finished=bool(draft.failure))
        messages.extend(message_drafts(firing, step, place, context))
    return Continuation(tuple(messages))
