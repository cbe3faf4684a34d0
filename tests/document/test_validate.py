"""A document checked against a model: sentences, places and suggestions."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import pytest
from pydantic import Field

from smm_rules.document import DocumentError, Position, read_text, validate
from smm_rules.document.types import Duration, Percentage, Settings, Slug, at_least
from smm_rules.facts import parse_duration
from tests.document.marked import unmarked

FILE = Path("file.yaml")


class Inner(Settings):
    hints: ClassVar[Mapping[str, str]] = {"colour": 'Did you mean "color"?'}

    color: str = ""
    size: int = 1


class Outer(Settings):
    name: Slug = "x"
    wait: Annotated[Duration, at_least(parse_duration("1m"))] = parse_duration("1m")
    share: Percentage = Decimal(0)
    mode: Literal["live", "dry_run"] = "live"
    flag: bool = False
    price: Decimal = Decimal(0)
    inner: Inner = Inner()
    items: Annotated[tuple[Inner, ...], Field(strict=False)] = ()
    by_name: dict[Slug, Inner] = Field(default_factory=dict)
    sender: str = Field(default="", alias="from")
    maybe: Inner | None = None


BROKEN = {
    "unknown key": ("⟦mood: live", 'Unknown key "mood"', 'Did you mean "mode"?'),
    "unknown nested key": ("inner: {⟦sizze: 1}", 'Unknown key "sizze"', 'Did you mean "size"?'),
    "unknown key in a list": ("items:\n  - size: 1\n  - ⟦siz: 1", 'Unknown key "siz"', '"size"'),
    "unknown key by name": ("by_name: {a: {⟦colr: x}}", 'Unknown key "colr"', '"color"'),
    "unknown key of an optional": ("maybe: {⟦colr: x}", 'Unknown key "colr"', '"color"'),
    "hint": ("inner: {⟦colour: red}", 'Unknown key "colour"', '"color"'),
    "alias": ("⟦form: x", 'Unknown key "form"', 'Did you mean "from"?'),
    "field name of an alias": ("⟦sender: x", 'Unknown key "sender"', ""),
    "far off": ("inner: {⟦qqqqq: 1}", 'Unknown key "qqqqq"', "Known here: color, size"),
    "number for text": ("inner: {color: ⟦5}", "`color` must be text, not the number 5", '"5"'),
    "nothing for text": ("inner: {⟦color: }", "`color` has no value", ""),
    "flag for text": ("inner: {color: ⟦true}", "`color` must be text, not true", '"true"'),
    "list for text": ("inner: {color: ⟦[a]}", "`color` must be text, not a list", ""),
    "text for number": ("inner: {size: ⟦large}", '`size` must be a whole number, not "large"', ""),
    "quoted number": ('inner: {size: ⟦"5"}', '`size` must be a whole number, not "5"', ""),
    "fraction": ("inner: {size: ⟦1.5}", "`size` must be a whole number, not the number 1.5", ""),
    "flag for number": ("inner: {size: ⟦true}", "`size` must be a whole number, not true", ""),
    "yes": ("flag: ⟦yes", '`flag` must be true or false, not "yes"', "Write true"),
    "off": ("flag: ⟦off", "`flag` must be true or false", "Write false"),
    "one for flag": ("flag: ⟦1", "`flag` must be true or false", ""),
    "choice": ("mode: ⟦dry-run", '`mode` must be live or dry_run, not "dry-run"', 'Did you mean "dry_run"?'),
    "duration without unit": ("wait: ⟦10", "`wait` must be a duration", "Write 10s, 10m or 10h"),
    "duration in words": ("wait: ⟦10 minutes", "`wait` must be a duration like 30s, 10m", "Write 10m"),
    "duration with a space": ("wait: ⟦1 H 30 Min", "`wait` must be a duration like", "Write 1h30m"),
    "duration of months": ("wait: ⟦2 months", "`wait` must be a duration like 30s, 10m", ""),
    "duration with a unit twice": ("wait: ⟦10m5m", "names a unit twice", ""),
    "endless duration": ("wait: ⟦9999d", "longer than ten years", ""),
    "short duration": ("wait: ⟦5s", "`wait` must be at least 1m, not 5s", ""),
    "sexagesimal": ("wait: ⟦12:30", '`wait` must be a duration like 30s, 10m, 1h30m or 3d, not "12:30"', ""),
    "bare share": ("share: ⟦10", "`share` must be a percentage like 10%", "Write 10%"),
    "share in words": ("share: ⟦ten", "`share` must be a percentage like 10%", ""),
    "huge share": ("share: ⟦99999%", "`share` must be at most 1000%", ""),
    "name with a space": ("name: ⟦my rule", "`name` must be a name of letters", "Write it as my-rule"),
    "name too long": (f"name: ⟦{'x' * 70}", "`name` must be at most 64 characters", ""),
    "key that is no name": ("by_name: {⟦a b: {}}", "must be a name of letters", "a-b"),
    "text for money": ("price: ⟦cheap", '`price` must be a number, not "cheap"', ""),
    "text for mapping": ("inner: ⟦x", "`inner` must be a mapping", ""),
    "text for list": ("items: ⟦x", "`items` must be a list", ""),
    "item": ("items: [{}, ⟦5]", "Item 2 of `items` must be a mapping", ""),
    "list for mapping": ("by_name: ⟦[]", "`by_name` must be a mapping", ""),
    "whole file": ("⟦[]", "The file must be a mapping", ""),
    "empty file": ("⟦", "The file is empty", ""),
}


@pytest.mark.parametrize(("text", "message", "suggestion"), BROKEN.values(), ids=BROKEN)
def test_a_fault_is_told_in_a_sentence(text: str, message: str, suggestion: str) -> None:
    text, line, column = unmarked(text)

    with pytest.raises(DocumentError) as caught:
        validate(read_text(text, FILE), Outer)

    (problem,) = caught.value.problems
    assert problem.position == Position(FILE, line, column)
    assert message in problem.message
    assert suggestion in problem.suggestion


class Needed(Settings):
    when: str
    also: str


def test_a_missing_key_is_told_at_its_mapping() -> None:
    with pytest.raises(DocumentError) as caught:
        validate(read_text("a:\n  - also: x\n", FILE), Needed, ("a", 0))

    (problem,) = caught.value.problems
    assert (problem.position, problem.message) == (Position(FILE, 2, 5), "The key `when` is missing")


def test_a_misspelt_needed_key_is_told_once() -> None:
    with pytest.raises(DocumentError) as caught:
        validate(read_text("whn: x\nalso: y\n", FILE), Needed)

    assert [problem.message for problem in caught.value.problems] == ['Unknown key "whn"']


def test_all_faults_are_told_in_file_order() -> None:
    text = "mode: x\nflag: x\nzzz: 1\ninner: {size: x}\n"

    with pytest.raises(DocumentError) as caught:
        validate(read_text(text, FILE), Outer)

    assert [problem.position.line for problem in caught.value.problems] == [1, 2, 3, 4]


def test_a_value_from_elsewhere_is_told_at_its_place() -> None:
    elsewhere = Position(Path("$MODE"), 1, 1)
    document = read_text("inner: {size: 2}\n", FILE).overridden(("inner", "size"), "x", elsewhere)

    with pytest.raises(DocumentError) as caught:
        validate(document, Outer)

    assert [problem.position for problem in caught.value.problems] == [elsewhere]


def test_a_sound_document_becomes_a_model() -> None:
    text = "wait: 1h30m\nshare: 12.5%\nprice: 0.90\nfrom: x\nitems: [{size: 2}]\n"

    model = validate(read_text(text, FILE), Outer)

    assert model == Outer.model_validate(
        {"wait": "1h30m", "share": "12.5%", "price": Decimal("0.90"), "from": "x", "items": [{"size": 2}]}
    )
    assert model.share == Decimal("0.125")
