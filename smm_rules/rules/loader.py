"""Rule files read, checked and compiled, with every problem of every file told at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from smm_rules.document import (
    Document,
    DocumentError,
    Plain,
    Position,
    Problem,
    Severity,
    Trail,
    in_file_order,
    read_document,
    validate,
)
from smm_rules.garbage import nothing_is_garbage
from smm_rules.matching.equal import NO_EQUALS, EqualServices
from smm_rules.matching.file import load_mapping
from smm_rules.rules.analysis import Warnings
from smm_rules.rules.build import build_rule
from smm_rules.rules.checks import WrittenRule
from smm_rules.rules.model import Rule, RuleSet
from smm_rules.rules.schema import RuleFileOutline, RuleSpec
from smm_rules.rules.scope import Scope
from smm_rules.rules.sound import sound_problems
from smm_rules.rules.written_text import written_texts

_ENDINGS = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class RawTest:
    """An entry of a file's `tests:`, as written. `trail` leads to it in `document`."""

    document: Document
    trail: Trail

    @property
    def value(self) -> Plain:
        return self.document.at(self.trail)

    @property
    def position(self) -> Position:
        return self.document.position(self.trail)


@dataclass(frozen=True, slots=True)
class LoadedRules:
    """All rules of all files, and the tests beside the rules. `texts` are the rules' own lines by name.

    `equal` are the services that the mapping of the scope says are equal.
    """

    rules: RuleSet
    tests: tuple[RawTest, ...]
    texts: Mapping[str, str]
    _warnings: Warnings = field(repr=False, compare=False)
    equal: EqualServices = NO_EQUALS

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What is worth a warning, worked out when it is first asked for."""
        return self._warnings.told()


def load_rules(
    paths: Sequence[Path], scope: Scope | None = None, read: Callable[[Path], Document] = read_document
) -> LoadedRules:
    """The rules of these files and directories, in file order.

    Directories are searched for `.yaml` and `.yml` files, hidden ones and files of tests left out. With a
    `scope`, names of panels and channels are checked too. `read` reads a file, unless it has been already.
    `DocumentError` carries every problem of every file.
    """
    with nothing_is_garbage():
        return _load(_Reading(scope, read), paths)


def _load(reading: _Reading, paths: Sequence[Path]) -> LoadedRules:
    for path in reading.files(paths):
        reading.read(path)
    equal = reading.mapping()
    if reading.problems:
        raise DocumentError(in_file_order(reading.problems))
    rules = RuleSet(tuple(rule for _, rule in reading.rules))
    warnings = Warnings(reading.warnings, reading.rules, reading.scope)
    return LoadedRules(rules, tuple(reading.tests), dict(reading.texts), warnings, equal)


@dataclass(slots=True)
class _Reading:
    """What has been read so far."""

    scope: Scope | None
    read_file: Callable[[Path], Document] = read_document
    rules: list[tuple[WrittenRule, Rule]] = field(default_factory=list)
    tests: list[RawTest] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    names: dict[str, Position] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def files(self, paths: Sequence[Path]) -> list[Path]:
        """The files that `paths` stand for, each once."""
        found: dict[Path, Path] = {}
        for path in paths:
            files = sorted(_files_below(path)) if path.is_dir() else [path]
            if not files:
                message = "There are no rule files in this directory"
                suggestion = "Their names end in .yaml or .yml"
                self.warnings.append(Problem(Position(path, 1, 1), message, suggestion, Severity.WARNING))
            for file in files:
                found.setdefault(file.resolve(), file)
        return list(found.values())

    def read(self, path: Path) -> None:
        """Read one file; its problems are noted, not raised."""
        try:
            document = self.read_file(path)
            outline = validate(document, RuleFileOutline)
        except DocumentError as error:
            self.problems.extend(error.problems)
            return
        for index, text in enumerate(written_texts(document, "rules")):
            self._rule(document, ("rules", index), text)
        self.tests += [RawTest(document, ("tests", index)) for index in range(len(outline.tests))]

    def mapping(self) -> EqualServices:
        """The equal services of the scope's mapping; its problems are noted, not raised."""
        if self.scope is None or self.scope.services is None:
            return NO_EQUALS
        try:
            return load_mapping(self.scope.services, self.scope.panels, self.read_file).equal
        except DocumentError as error:
            self.problems.extend(error.problems)
            return NO_EQUALS

    def _rule(self, document: Document, trail: Trail, text: str) -> None:
        self._name(document, trail)
        try:
            spec = validate(document, RuleSpec, trail)
        except DocumentError as error:
            self.problems.extend(error.problems)
            self.problems.extend(sound_problems(document, trail, self.scope))
            return
        written = WrittenRule(document, trail, spec)
        try:
            rule = build_rule(written, self.scope)
        except DocumentError as error:
            self.problems.extend(error.problems)
            return
        self.rules.append((written, rule))
        self.texts[rule.name] = text

    def _name(self, document: Document, trail: Trail) -> None:
        """Note a rule's name; state is kept by it, so it must be the only one of it."""
        rule = document.at(trail)
        name = rule.get("name") if isinstance(rule, dict) else None
        if not isinstance(name, str):
            return
        position = document.position((*trail, "name"))
        earlier = self.names.setdefault(name.casefold(), position)
        if earlier is not position:
            message = f'The rule name "{name}" is taken; it stands at {earlier} already'
            self.problems.append(Problem(position, message, "Give each rule a name of its own"))


def rule_files(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The files that these files and directories stand for, each once."""
    return tuple(_Reading(None).files(paths))


def is_test_file(path: Path) -> bool:
    """Whether a file holds tests alone, by its name: `refill_test.yaml`, or any in a directory `tests`."""
    return path.suffix in _ENDINGS and (path.stem.endswith("_test") or path.parent.name == "tests")


def files_of_tests(directory: Path) -> list[Path]:
    """The files of tests in a directory and below it."""
    return sorted(path for path in _yaml_below(directory) if is_test_file(path))


def _files_below(directory: Path) -> Iterator[Path]:
    return (path for path in _yaml_below(directory) if not is_test_file(path))


def _yaml_below(directory: Path) -> Iterator[Path]:
    for path in directory.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(directory).parts)
        if path.suffix in _ENDINGS and path.is_file() and not hidden:
            yield path
