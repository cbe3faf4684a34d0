"""A replay's report as scripts get it."""

from __future__ import annotations

from smm_rules.engine.firing import Occasion
from smm_rules.rehearsal.replay.report import ASSUMPTIONS, Report, Side


def report_shape(report: Report, *, only_differences: bool) -> dict[str, object]:
    """The whole report, or only the firings on which the sides differ."""
    compared = report.differences() if only_differences else report.compared()
    return {
        "since": report.span.since,
        "until": report.span.until,
        "notes": report.notes,
        "assumptions": ASSUMPTIONS,
        "sides": [_side_shape(report, side) for side in report.sides],
        "firings": [
            {
                "rule": one.rule,
                "entity": one.entity,
                "occasion": one.occasion,
                "at": {side.title: at for side, at in zip(report.sides, one.at, strict=True)},
                "differs": one.differs,
            }
            for one in compared
        ],
    }


def _side_shape(report: Report, side: Side) -> dict[str, object]:
    return {
        "title": side.title,
        "rehearsed": side.replayed is not None,
        "rules": [_rule_shape(report, side, rule) for rule in report.rules],
    }


def _rule_shape(report: Report, side: Side, rule: str) -> dict[str, object]:
    account = side.account.of(rule)
    days = {day.isoformat(): account.on(day) for day in report.span.days}
    return {
        "rule": rule,
        **{occasion.value: account.count(occasion) for occasion in Occasion},
        "held": len(account.held),
        "limited": len(account.limited) if side.replayed is not None else None,
        "spent": account.spent,
        "unpriced": account.unpriced,
        "days": {
            day: {"fired": part.count(Occasion.FIRED), "spent": part.spent}
            for day, part in days.items()
            if part.fired or part.acted
        },
    }
