"""Which tests there are: those in rule files, and those in files beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from smm_rules.document import (
    Document,
    DocumentError,
    Position,
    Problem,
    in_file_order,
    read_document,
    validate,
)
from smm_rules.document.types import FilledText, Settings, one_or_many, refuse
from smm_rules.rehearsal.testing.model import RuleTest
from smm_rules.rehearsal.testing.reading import read_test
from smm_rules.rules.loader import LoadedRules, RawTest, files_of_tests, is_test_file, load_rules
from smm_rules.rules.model import Rule
from smm_rules.rules.scope import Scope


class TestFileOutline(Settings):
    """A file of tests: the rules they are for, and the tests, which are checked one by one."""

    __test__ = False  # not one for pytest

    hints: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("name", "given", "at"), "Write the test as an item below `tests:`"
    )

    rules: Annotated[tuple[FilledText, ...], one_or_many(FilledText), Field(strict=False)] = ()
    tests: list[Any] = Field(default_factory=list)

    @model_validator(mode="after")
    def _something(self) -> TestFileOutline:
        if not self.tests:
            refuse("The key `tests` is missing or empty")
        return self


@dataclass(frozen=True, slots=True)
class Suite:
    """All tests that were found, the rules they are to cover, and what is odd about these."""

    tests: tuple[RuleTest, ...]
    rules: tuple[Rule, ...]
    warnings: tuple[Problem, ...] = ()


@dataclass(slots=True)
class _Gathering:
    scope: Scope | None
    problems: list[Problem] = field(default_factory=list)
    tests: list[RuleTest] = field(default_factory=list)
    rules: dict[tuple[Path, str], Rule] = field(default_factory=dict)

    def add(self, loaded: LoadedRules) -> None:
        for rule in loaded.rules.rules:
            if rule.position is not None:
                self.rules.setdefault((rule.position.file.resolve(), rule.name), rule)

    def load(self, paths: Sequence[Path]) -> LoadedRules | None:
        try:
            return load_rules(paths, self.scope)
        except DocumentError as error:
            self.problems.extend(error.problems)
            return None

    def read(self, raw: RawTest, rules: Sequence[Rule]) -> None:
        try:
            self.tests.append(read_test(raw, rules))
        except DocumentError as error:
            self.problems.extend(error.problems)


def gather_tests(paths: Sequence[Path], scope: Scope | None = None) -> Suite:
    """Every test in and beside the rule files of `paths`, files or directories.

    `DocumentError` carries every fault of every rule and test.
    """
    gathering = _Gathering(scope)
    named = [path for path in paths if path.is_file() and is_test_file(path)]
    rule_paths = [path for path in paths if path not in named]
    loaded = gathering.load(rule_paths)
    if loaded is not None:
        gathering.add(loaded)
        for raw in loaded.tests:
            gathering.read(raw, [rule for rule in loaded.rules.rules if _is_in(rule, raw.document)])
    beside = [file for path in rule_paths if path.is_dir() for file in files_of_tests(path)]
    for file in dict.fromkeys((*named, *beside, *_beside(rule_paths))):
        _read_file(gathering, file)
    if gathering.problems:
        raise DocumentError(in_file_order(gathering.problems))
    warnings = () if loaded is None else loaded.warnings
    return Suite(tuple(gathering.tests), tuple(gathering.rules.values()), warnings)


def _is_in(rule: Rule, document: Document) -> bool:
    return rule.position is not None and rule.position.file == document.path


def _beside(paths: Sequence[Path]) -> list[Path]:
    """The test files that belong to single rule files by their name."""
    single = [path for path in paths if path.is_file()]
    found = [path.with_name(f"{path.stem}_test{ending}") for path in single for ending in (".yaml", ".yml")]
    return [path for path in found if path.is_file()]


def _read_file(gathering: _Gathering, file: Path) -> None:
    try:
        document = read_document(file)
        outline = validate(document, TestFileOutline)
    except DocumentError as error:
        gathering.problems.extend(error.problems)
        return
    paths = _rule_paths(gathering, document, outline)
    loaded = gathering.load(paths) if paths else None
    if loaded is None:
        return
    gathering.add(loaded)
    for index in range(len(outline.tests)):
        gathering.read(RawTest(document, ("tests", index)), loaded.rules.rules)


def _rule_paths(gathering: _Gathering, document: Document, outline: TestFileOutline) -> list[Path]:
    """The rule files a test file is for: those it names, else the one it is named after."""
    file = document.path
    if not outline.rules:
        own = _named_after(file)
        if own is None:
            message = "It isn't said which rules these tests are for"
            example = "Write for example rules: ../refill.yaml at the top"
            gathering.problems.append(Problem(Position(file, 1, 1), message, example))
        return [own] if own is not None else []
    found: list[Path] = []
    listed = document.holds(("rules", 0))
    for index, name in enumerate(outline.rules):
        path = file.parent / name
        if path.exists():
            found.append(path)
            continue
        trail = ("rules", index) if listed else ("rules",)
        message = f'There is no file "{name}"'
        gathering.problems.append(document.problem(trail, message, f"It is looked for in {file.parent}"))
    return found


def _named_after(file: Path) -> Path | None:
    stem = file.stem.removesuffix("_test")
    places = [file.parent, file.parent.parent] if file.parent.name == "tests" else [file.parent]
    for place in places:
        for ending in (".yaml", ".yml"):
            candidate = place / f"{stem}{ending}"
            if candidate != file and candidate.is_file():
                return candidate
    return None
