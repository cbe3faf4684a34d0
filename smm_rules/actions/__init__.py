"""Carrying out intents: checked, claimed, attempted once, settled."""

from smm_rules.actions.attempt import Patience
from smm_rules.actions.evidence import Suggestion, collect_evidence, tell_in_doubt
from smm_rules.actions.executor import Executor
from smm_rules.actions.place import place_order
from smm_rules.actions.port import ActingPanel, ActionLedger
from smm_rules.actions.reporting import ExecutionReport
from smm_rules.actions.resolve import approve, deny, resolve_did_not, resolve_happened
from smm_rules.actions.verdict import Why

__all__ = [
    "ActingPanel",
    "ActionLedger",
    "ExecutionReport",
    "Executor",
    "Patience",
    "Suggestion",
    "Why",
    "approve",
    "collect_evidence",
    "deny",
    "place_order",
    "resolve_did_not",
    "resolve_happened",
    "tell_in_doubt",
]
