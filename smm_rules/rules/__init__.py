"""Rules: YAML files loaded, checked, typed and compiled."""

from smm_rules.rules.loader import LoadedRules, RawTest, load_rules
from smm_rules.rules.model import ACTING, FirstSeen, Limits, Rule, RuleSet, Step, StepKind
from smm_rules.rules.scope import Scope

__all__ = [
    "ACTING",
    "FirstSeen",
    "Limits",
    "LoadedRules",
    "RawTest",
    "Rule",
    "RuleSet",
    "Scope",
    "Step",
    "StepKind",
    "load_rules",
]
