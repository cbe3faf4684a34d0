"""Events of looks at a panel and of what rules decided."""

from __future__ import annotations

from smm_rules.observe.event import Event

_ENTITY = ("rule", "entity", "reason")
#: What ties the event to the calls and messages of the same episode.
_STORY = ("correlation",)

EVENTS: tuple[Event, ...] = (
    Event(
        "panel.poll_failed",
        "warning",
        ("panel", "what", "error", "kind", "failures", "paused_until"),
        "A look at a panel failed after its retries. Nothing fires or resolves on what couldn't be read; the "
        "look is let be until `paused_until`.",
        "If it lasts: open the panel in a browser, try `smm-rules check --live`.",
    ),
    Event(
        "panel.poll_failed_in_part",
        "warning",
        ("panel", "what", "error", "kind", "unanswered", "failures", "paused_until"),
        "Some requests of a look failed after their retries, those for `unanswered` entities. What was "
        "answered counts; the others stay frozen and are asked first after `paused_until`.",
        "As for panel.poll_failed. If it is always the same few: look one up on the panel.",
    ),
    Event(
        "panel.catalogue_cut",
        "warning",
        ("panel", "missing", "believed"),
        "The catalogue lacks more than half of the panel's services all at once. The first time that is "
        "taken for an answer cut short, and nothing is gone; `believed` is true the second time in a row.",
        "Look at the panel's catalogue. If it is as it says, there is nothing to do.",
    ),
    Event(
        "panel.services_left_out",
        "warning",
        ("panel", "count", "known"),
        "The panel has named more services by now than are kept of one panel (50,000, those gone among "
        "them); `count` new ones are passed over.",
        "Look at the panel's catalogue: no honest one changes so much.",
    ),
    Event(
        "panel.look_failed",
        "error",
        ("panel", "entity", "error"),
        "The panel's answer for one entity could not be made into facts. It stays frozen and is asked again "
        "at the next interval; the others go on.",
        "Report it with the traceback.",
    ),
    Event(
        "panel.poll_recovered",
        "info",
        ("panel", "what", "failures"),
        "A look that had been failing works again.",
    ),
    Event(
        "order.missing",
        "warning",
        ("panel", "count", "ids"),
        "The panel left orders out of its answer. They are not taken for gone: they are asked again later. "
        "At most 20 IDs are listed.",
        "If the same orders stay missing, look them up on the panel; `orders forget` ends the asking.",
    ),
    Event(
        "refill.missing",
        "warning",
        ("panel", "count", "ids"),
        "The panel left refills out of its answer. They are asked again later. At most 20 IDs are listed.",
        "If the same refills stay missing, look them up on the panel.",
    ),
    Event(
        "rule.holding",
        "debug",
        _ENTITY,
        "A rule's condition began to hold for an entity; it fires once it has held for the rule's `for`.",
        optional=_STORY,
    ),
    Event(
        "rule.fired",
        "info",
        _ENTITY,
        "An episode reached its hold time and its steps were planned.",
        optional=_STORY,
    ),
    Event(
        "rule.reminded",
        "info",
        _ENTITY,
        "A fired episode goes on and its reminder was queued.",
        optional=_STORY,
    ),
    Event("rule.resolved", "info", _ENTITY, "A fired episode ended.", optional=_STORY),
    Event(
        "rule.hold_restarted",
        "info",
        _ENTITY,
        "The entity went unobserved, or a fact unknown, for longer than `observation_gap`: it starts anew.",
        optional=_STORY,
    ),
    Event(
        "rule.stopped",
        "warning",
        _ENTITY,
        "A limit keeps the rule from firing for this entity; said once, when it begins.",
        "If the rule should act: raise its `limit`.",
        optional=_STORY,
    ),
    Event(
        "rule.template_failed",
        "error",
        ("rule", "entity", "step", "error", "correlation"),
        "A template could not be filled in. A message goes out as plain facts, an action is not sent.",
        "Correct the rule; an unknown fact needs a condition that asks for it, such as `known(start_count)`.",
    ),
    Event(
        "rule.evaluation_failed",
        "error",
        ("panel", "rule", "count", "entity", "error"),
        "A rule could not be evaluated for `count` entities of one look, `entity` being the first. It "
        "neither fires nor resolves for them; it is tried again at the next look, and other rules go on.",
        "Report it with the traceback.",
    ),
    Event(
        "rule.over_sweep_limit",
        "error",
        ("panel", "rule", "count"),
        "The rule would have fired for more entities in one sweep than `limit.per_sweep` allows. None was "
        "acted on: the actions are held.",
        "`smm-rules intents list --state held`, then approve or deny them; look at the rule and the panel.",
    ),
)
