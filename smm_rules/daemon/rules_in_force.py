"""The rules in force: read whole or not at all, and what changed between two sets."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from smm_rules.document.problem import Problem
from smm_rules.ledger.audit import RuleText
from smm_rules.observe import get_logger
from smm_rules.rules.loader import LoadedRules, load_rules
from smm_rules.rules.model import Rule, RuleSet
from smm_rules.rules.scope import Scope

log = get_logger(__name__)


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

    def in_words(self) -> str:
        """Which rules keep, restart or drop their state; empty when nothing changed."""
        parts = {
            "changed, state kept": self.changed,
            "started anew": self.restarted,
            "gone": self.removed,
            "new": self.added,
        }
        return "; ".join(f"{what}: {', '.join(names)}" for what, names in parts.items() if names)


def compare(before: RuleSet, after: RuleSet) -> RuleChanges:
    """The difference between two rule sets by name and meaning."""
    old = {rule.name: rule for rule in before.rules}
    new = {rule.name: rule for rule in after.rules}
    both = [name for name in new if name in old]
    edited = [name for name in both if new[name].version != old[name].version]
    restarted = [name for name in edited if question(new[name]) != question(old[name])]
    return RuleChanges(
        added=tuple(name for name in new if name not in old),
        removed=tuple(name for name in old if name not in new),
        changed=tuple(name for name in edited if name not in restarted),
        restarted=tuple(restarted),
        kept=tuple(name for name in both if name not in edited),
    )


def question(rule: Rule) -> str:
    """What a rule asks of what, as a short text to compare: a hold is worth something under one alone.

    The condition's own writing decides, spaces aside.
    """
    asked = f"{rule.watch}:{''.join(rule.when.source.split())}"
    return sha256(asked.encode()).hexdigest()[:16]


def questions(rules: RuleSet) -> dict[str, str]:
    """Each rule's question by its name."""
    return {rule.name: question(rule) for rule in rules.rules}


def versions(rules: RuleSet) -> dict[str, str]:
    """Each rule's version by its name."""
    return {rule.name: rule.version for rule in rules.rules}


def no_longer_asked(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """The rules of `before` that are gone or ask another question now: their holds are void."""
    return tuple(name for name, asked in before.items() if now.get(name) != asked)


def edited(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """The rules of `before` that have another version now."""
    return tuple(name for name, version in before.items() if name in now and now[name] != version)


class RulesInForce:
    """Holds the last good rule set; `adopt` replaces it whole.

    Warnings about the first set are told by `tell_warnings`, which may come after the first work.
    """

    def __init__(self, paths: Sequence[Path], scope: Scope) -> None:
        self._paths = tuple(paths)
        self._scope = scope
        self.loaded: LoadedRules = load_rules(self._paths, self._scope)

    def current(self) -> RuleSet:
        """The rule set in force."""
        return self.loaded.rules

    @property
    def texts(self) -> tuple[RuleText, ...]:
        """The rules in force as they are written, for the record of decisions."""
        return rule_texts(self.loaded)

    @property
    def files(self) -> tuple[str, ...]:
        """Where the rules are read from."""
        return tuple(str(path) for path in self._paths)

    def read(self) -> LoadedRules:
        """Read the files again, changing nothing. `DocumentError` carries every problem."""
        fresh = load_rules(self._paths, self._scope)
        _warnings_of(fresh)  # worked out here, in the thread that reads, and not where the set is adopted
        return fresh

    def adopt(self, fresh: LoadedRules) -> None:
        """Put a set that was read into force."""
        self.loaded = fresh
        _tell(fresh.warnings)

    async def tell_warnings(self) -> None:
        """Tell of what is odd about the rules in force. It is worked out beside everything else."""
        _tell(await asyncio.to_thread(_warnings_of, self.loaded))


def rule_texts(loaded: LoadedRules) -> tuple[RuleText, ...]:
    """Each rule with its version and its own lines."""
    return tuple(
        RuleText(rule.name, rule.version, loaded.texts.get(rule.name, "")) for rule in loaded.rules.rules
    )


def _warnings_of(loaded: LoadedRules) -> tuple[Problem, ...]:
    """Asks for them, which may take as long as a second of a thread's time with thousands of rules."""
    return loaded.warnings


def _tell(warnings: Sequence[Problem]) -> None:
    """Tell of rules that load and can hardly be meant, as `smm-rules check` does."""
    for problem in warnings:
        log.warning("rules.warned", place=str(problem.position), warning=problem.message)
