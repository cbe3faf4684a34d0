"""Statements of account: what was spent, refunded, refilled, is in doubt and held, beside the balance."""

from smm_rules.statement.model import Line, PanelStatement, Reconciliation, Statement
from smm_rules.statement.reckoning import panel_statement
from smm_rules.statement.span import Span, day_span, latest_due

__all__ = [
    "Line",
    "PanelStatement",
    "Reconciliation",
    "Span",
    "Statement",
    "day_span",
    "latest_due",
    "panel_statement",
]
