"""docs/rules.md says what the program does: its tables are the program's own, and its examples load."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from smm_rules.facts import FIELDS
from smm_rules.rules import Scope, load_rules
from smm_rules.rules.condition.functions import FUNCTIONS
from smm_rules.rules.layout import KEY_ORDER
from smm_rules.rules.reference import SECTIONS, updated
from smm_rules.rules.schema import RuleSpec
from smm_rules.rules.steps import LogSpec, NotifySpec, ReorderSpec, StepSpec, WebhookSpec

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
SCOPE = Scope(frozenset({"main"}), {"ops": "log"})


def test_the_tables_are_the_programs_own() -> None:
    assert updated(TEXT) == TEXT, "run: python -m smm_rules.rules.reference docs/rules.md"


def test_every_generated_section_has_its_place() -> None:
    assert re.findall(r"<!-- generated: (\w+) -->", TEXT) == [
        "types",
        "statuses",
        "functions",
        "limits",
        "filters",
        "facts",
    ]
    assert len(SECTIONS) == 6


def test_a_section_nobody_makes_is_an_error() -> None:
    with pytest.raises(KeyError):
        updated("<!-- generated: nonsense -->\n\n<!-- end -->")


def test_a_section_is_made_anew_between_its_marks() -> None:
    stale = "before\n<!-- generated: limits -->\nold\n<!-- end -->\nafter"
    fresh = updated(stale)
    assert fresh.startswith("before\n<!-- generated: limits -->\n\n| key |")
    assert fresh.endswith("|\n\n<!-- end -->\nafter")
    assert updated(fresh) == fresh


def test_every_key_of_a_rule_is_told_of() -> None:
    keys = {field.alias or name for name, field in RuleSpec.model_fields.items()}
    table = TEXT.partition("## The keys of a rule")[2].partition("## When a rule fires")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == keys


def test_the_order_of_keys_is_told_as_it_is() -> None:
    page = PAGE.with_name("editor-support.md").read_text(encoding="utf-8")
    told = page.partition("the order of a rule's keys (")[2].partition(")")[0]
    assert tuple(re.findall(r"`(\w+)`", told)) == KEY_ORDER


def test_every_step_and_its_parameters_are_told_of() -> None:
    table = TEXT.partition("## Steps")[2].partition("`refill`, `cancel` and `reorder` act")[0]
    told = {row[0]: row[1] for row in re.findall(r"^\| `(\w+)` \| [^|]* \| ([^|]*) \|$", table, re.MULTILINE)}
    assert told.keys() == StepSpec.model_fields.keys()
    for spec in (NotifySpec, WebhookSpec, LogSpec):
        named = set(re.findall(r"`(\w+)`", told[spec.__name__.removesuffix("Spec").lower()])) - {"info"}
        assert named == spec.model_fields.keys()


def test_every_parameter_of_a_reorder_is_told_of() -> None:
    table = TEXT.partition("### `reorder`")[2].partition("## Limits")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == ReorderSpec.model_fields.keys()


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_every_example_loads(tmp_path: Path, block: str) -> None:
    path = tmp_path / "example.yaml"
    path.write_text(whole(block), encoding="utf-8")
    assert len(load_rules([path], SCOPE).rules.rules) == 1


def whole(block: str) -> str:
    """A whole rule file of an example: what an excerpt leaves out is put around it."""
    if block.startswith("rules:"):
        return block
    excerpt = "".join(f"    {line}\n" for line in block.splitlines())
    kind = "service" if "rate_increase" in block else "order"
    rest = "" if block.startswith("do:") else '    do: [{log: {message: "seen"}}]\n'
    condition = '    when: status == "Partial"\n' if block.startswith("do:") else ""
    return f"rules:\n  - name: example\n    watch: {kind}\n{condition}{excerpt}{rest}"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_example_of_every_function_compiles(tmp_path: Path, name: str) -> None:
    path = tmp_path / "example.yaml"
    path.write_text(whole(f"when: '{FUNCTIONS[name].example}'\n"), encoding="utf-8")
    assert len(load_rules([path], SCOPE).rules.rules) == 1


def test_every_fact_has_a_meaning() -> None:
    assert [field.name for fields in FIELDS.values() for field in fields.values() if not field.meaning] == []
