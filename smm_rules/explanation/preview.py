"""What a rule would send, each step rendered and checked as if it fired now. Nothing is sent or written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from smm_rules.actions.checking import CHECKS
from smm_rules.actions.circumstances import gather
from smm_rules.actions.port import CircumstanceLedger
from smm_rules.actions.verdict import Verdict
from smm_rules.engine.choosing import Choice, choice_text
from smm_rules.engine.drafts import intent_draft
from smm_rules.engine.firing import Firing, IntentDraft, MessageDraft, Occasion
from smm_rules.engine.memory import Memory
from smm_rules.engine.messages import message_draft
from smm_rules.engine.rendering import TemplateContext, template_context
from smm_rules.engine.snapshots import known_facts
from smm_rules.explanation.model import Standing
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import (
    CHOICE,
    DatedBalance,
    Intent,
    IntentState,
    TrackedOrder,
    Transition,
    Watched,
)
from smm_rules.rules.model import Rule, Step

#: What stands for the panel's own words, which nobody knows before it answers.
RESULT, REFUSAL = "(the panel's ID)", "(the panel's words)"
_FIRING = 0


class PreviewLedger(CircumstanceLedger, Protocol):
    """What a preview needs of the ledger."""

    async def consider(
        self, draft: IntentDraft, firing: Firing, now: datetime
    ) -> tuple[IntentDraft, Choice | None]: ...


@dataclass(frozen=True, slots=True)
class PreviewedStep:
    """One step at its place, such as `do.0`: either a message, or an action with what its check says now.

    `choice` is there where the panel of the action is chosen.
    """

    place: str
    step: Step
    message: MessageDraft | None = None
    action: IntentDraft | None = None
    verdict: Verdict | None = None
    choice: Choice | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """All steps of a rule for one entity. `holds` is whether its condition holds now, None for unknown."""

    rule: Rule
    entity: Entity
    at: datetime
    holds: bool | None
    steps: tuple[PreviewedStep, ...]


async def preview(rule: Rule, standing: Standing, ledger: PreviewLedger) -> Preview:
    """Render `do`, `otherwise` and `done` of `rule` on what is known of the entity.

    Later steps are rendered as if the actions before them went well, `otherwise` as if the panel refused.
    """
    steps: list[PreviewedStep] = []
    for section, occasion, written in (
        ("do", Occasion.FIRED, rule.do),
        ("otherwise", Occasion.FIRED, rule.otherwise),
        ("done", Occasion.RESOLVED, rule.done),
    ):
        firing = _firing(rule, standing, occasion, written)
        steps += await _section(section, firing, written, ledger)
    holds = rule.when.holds(standing.facts, standing.at)
    return Preview(rule, standing.entity, standing.at, holds, tuple(steps))


def _firing(rule: Rule, standing: Standing, occasion: Occasion, steps: tuple[Step, ...]) -> Firing:
    return Firing(
        rule=rule.name,
        rule_version=rule.version,
        entity=standing.entity,
        root=standing.root,
        episode=standing.at,
        occasion=occasion,
        ordinal=0,
        at=standing.at,
        facts=known_facts(standing.entity.kind, standing.facts, standing.at),
        steps=steps,
        otherwise=rule.otherwise,
        limits=rule.limit,
    )


async def _section(
    section: str, firing: Firing, steps: Sequence[Step], ledger: PreviewLedger
) -> list[PreviewedStep]:
    result, refusal = "", REFUSAL if section == "otherwise" else ""
    found: list[PreviewedStep] = []
    for index, step in enumerate(steps):
        context = template_context(firing, result, refusal)
        found.append(await _step(firing, step, f"{section}.{index}", context, ledger))
        result = RESULT if step.acts else result
    return found


async def _step(
    firing: Firing, step: Step, place: str, context: TemplateContext, ledger: PreviewLedger
) -> PreviewedStep:
    if not step.acts:
        return PreviewedStep(place, step, message=message_draft(firing, step, place, context))
    draft = intent_draft(firing, step, place, context)
    if draft.failure:
        return PreviewedStep(place, step, action=draft)
    draft, choice = await ledger.consider(draft, firing, firing.at)
    intent = _intent(firing, draft, choice)
    circumstances = await gather(_Previewed(ledger, firing), intent, firing.at)
    verdict = CHECKS[step.kind](intent, circumstances)
    return PreviewedStep(place, step, action=draft, verdict=verdict, choice=choice)


def _intent(firing: Firing, draft: IntentDraft, choice: Choice | None) -> Intent:
    """The draft as the ledger would hold it."""
    return Intent(
        id=0,
        firing=_FIRING,
        rule=firing.rule,
        entity=firing.entity,
        episode=firing.episode,
        step=draft.step,
        kind=draft.kind,
        panel=draft.panel,
        parameters=draft.parameters,
        state=IntentState.PLANNED,
        reason="",
        message="",
        reserved=draft.estimate,
        currency=draft.currency,
        attempts=0,
        not_before=None,
        planned_at=firing.at,
        claimed_at=None,
        settled_at=None,
        result="",
        owner="",
        evidence={} if choice is None else {CHOICE: choice_text(choice)},
    )


class _Previewed:
    """A ledger in which the previewed firing has just been planned."""

    def __init__(self, ledger: CircumstanceLedger, firing: Firing) -> None:
        self._ledger = ledger
        self._firing = firing

    async def firing(self, firing_id: int) -> Firing | None:
        return self._firing if firing_id == _FIRING else await self._ledger.firing(firing_id)

    async def memories(self, entities: Sequence[Entity]) -> dict[tuple[str, Entity], Memory]:  # noqa: ARG002
        return {}

    async def order(self, entity: Entity) -> TrackedOrder | None:
        return await self._ledger.order(entity)

    async def watched(self, entity: Entity) -> Watched | None:
        return await self._ledger.watched(entity)

    async def watched_page(
        self, kind: EntityKind, panel: str | None, after: Entity | None, limit: int
    ) -> tuple[Watched, ...]:
        return await self._ledger.watched_page(kind, panel, after, limit)

    async def intents(
        self, states: Sequence[IntentState], limit: int, rule: str | None = None, entity: Entity | None = None
    ) -> tuple[Intent, ...]:
        return await self._ledger.intents(states, limit, rule, entity)

    async def under_way(self, panel: str, since: datetime, until: datetime) -> tuple[Intent, ...]:
        return await self._ledger.under_way(panel, since, until)

    async def balance(self, panel: str) -> DatedBalance | None:
        return await self._ledger.balance(panel)

    async def replacements(self, order: Entity) -> tuple[Watched, ...]:
        return await self._ledger.replacements(order)

    async def transitions(self, intent_id: int) -> tuple[Transition, ...]:
        return await self._ledger.transitions(intent_id)
