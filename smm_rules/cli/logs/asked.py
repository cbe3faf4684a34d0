"""Which lines were asked for, and what is learnt from earlier lines to know it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from smm_rules.cli.logs.line import Line

LEVELS = ("debug", "info", "warning", "error")
#: What an action's first line tells of it and later ones may leave out.
_LEARNT = ("rule", "entity", "panel", "correlation")
#: Of so many actions what was learnt is kept.
_MOST_LEARNT = 50_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What is wished for; None or empty is no wish. `event` may have `*`, `correlation` be cut short."""

    order: str = ""
    rule: str = ""
    panel: str = ""
    event: str = ""
    correlation: str = ""
    level: str = ""
    since: datetime | None = None

    @property
    def about(self) -> tuple[str, ...]:
        """What a line that is no event can be searched for."""
        return tuple(
            word for word in (self.order, self.rule, self.panel, self.event, self.correlation) if word
        )


@dataclass(slots=True)
class Picking:
    """Picks lines in the order in which they were written.

    Text that is no event is never dropped silently: without a wish for an order, rule, panel, event or
    correlation it is shown, with one it is shown if it names what is wished for, and else counted in
    `passed_over`. It takes the time of the line before it.
    """

    asked: Asked
    passed_over: int = 0
    _at: datetime | None = None
    _learnt: OrderedDict[str, dict[str, Any]] = field(default_factory=OrderedDict)

    def wants(self, line: Line) -> bool:
        """Whether to show the line."""
        self._at = line.at or self._at
        known = self._with_learnt(line.of) if line.event else {}
        if self.asked.since is not None and self._at is not None and self._at < self.asked.since:
            return False
        if not _is_level(line.level, self.asked.level):
            return False
        return self._is_about(line.event, known) if line.event else self._is_named(line.text)

    def _is_named(self, text: str) -> bool:
        named = all(word in text for word in self.asked.about)
        self.passed_over += not named
        return named

    def _is_about(self, event: str, known: Mapping[str, Any]) -> bool:
        asked = self.asked
        return (
            (not asked.event or fnmatchcase(event, asked.event))
            and (not asked.rule or _said(known, "rule") == asked.rule)
            and (not asked.panel or asked.panel in (_said(known, "panel"), _entity(known)[1]))
            and (not asked.order or _names_order(known, asked.order))
            and (not asked.correlation or _said(known, "correlation").startswith(asked.correlation))
        )

    def _with_learnt(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """The fields, and what earlier lines told of the same action."""
        intent = fields.get("intent")
        if intent is None:
            return fields
        learnt = self._learnt.setdefault(str(intent), {})
        learnt.update({name: fields[name] for name in _LEARNT if name in fields})
        if len(self._learnt) > _MOST_LEARNT:
            self._learnt.popitem(last=False)
        return {**learnt, **fields}


def _is_level(level: str, least: str) -> bool:
    """Whether a line is at least this grave; one whose level isn't known is."""
    if not least or level not in LEVELS:
        return True
    return LEVELS.index(level) >= LEVELS.index(least)


def _said(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return "" if value is None else str(value)


def _entity(fields: Mapping[str, Any]) -> tuple[str, str, str]:
    """Kind, panel and ID of the entity a line is about, empty where there is none."""
    kind, _, rest = _said(fields, "entity").partition("/")
    panel, _, number = rest.partition("/")
    return kind, panel, number


def _names_order(fields: Mapping[str, Any], order: str) -> bool:
    """Whether a line is about the order, given as `ID` or `PANEL/ID`."""
    panel, _, number = order.rpartition("/")
    kind, on_panel, entity = _entity(fields)
    if panel and panel not in (on_panel, _said(fields, "panel")):
        return False
    if kind == "order" and entity == number:
        return True
    if number in (_said(fields, "order"), _said(fields, "order_id")):
        return True
    ids = fields.get("ids")
    return isinstance(ids, list) and number in [str(one) for one in ids]
