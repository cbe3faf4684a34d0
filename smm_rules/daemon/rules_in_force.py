"""The rules in force: read whole or not at all, and what a reload changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from smm_rules.rules.loader import LoadedRules, load_rules
from smm_rules.rules.model import Rule, RuleSet
from smm_rules.rules.scope import Scope


@dataclass(frozen=True, slots=True)
class RuleChanges:
    """What a reload did, by rule name. State is kept by rule name and entity.

    `changed` rules keep all of theirs, so an edited `for:` applies at once. `restarted` ones have another
    `when` or `watch`: their holds start anew, for they say how long the old condition held.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    restarted: tuple[str, ...]
    kept: tuple[str, ...]


def compare(before: RuleSet, after: RuleSet) -> RuleChanges:
    """The difference between two rule sets by name and meaning."""
    old = {rule.name: rule for rule in before.rules}
    new = {rule.name: rule for rule in after.rules}
    both = [name for name in new if name in old]
    edited = [name for name in both if new[name].version != old[name].version]
    restarted = [name for name in edited if _asks(new[name]) != _asks(old[name])]
    return RuleChanges(
        added=tuple(name for name in new if name not in old),
        removed=tuple(name for name in old if name not in new),
        changed=tuple(name for name in edited if name not in restarted),
        restarted=tuple(restarted),
        kept=tuple(name for name in both if name not in edited),
    )


def _asks(rule: Rule) -> tuple[str, str]:
    """What a rule asks of what; the condition's own writing decides, spaces aside."""
    return rule.watch, "".join(rule.when.source.split())


class RulesInForce:
    """Holds the last good rule set. `reload` replaces it whole or leaves it whole."""

    def __init__(self, paths: Sequence[Path], scope: Scope) -> None:
        self._paths = tuple(paths)
        self._scope = scope
        self.loaded: LoadedRules = load_rules(self._paths, self._scope)

    def current(self) -> RuleSet:
        """The rule set in force."""
        return self.loaded.rules

    def reload(self) -> RuleChanges:
        """Read the files again. `DocumentError` with every problem leaves the set in force as it was."""
        fresh = load_rules(self._paths, self._scope)
        changes = compare(self.loaded.rules, fresh.rules)
        self.loaded = fresh
        return changes
