"""The examples and tables of docs/testing-rules.md are so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from smm_rules.rehearsal.replay.report import ASSUMPTIONS
from smm_rules.rehearsal.testing.files import gather_tests
from smm_rules.rehearsal.testing.playing import play

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "testing-rules.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)


async def passed(paths: list[Path]) -> list[str]:
    results = [await play(test) for test in gather_tests(paths).tests]
    assert [failure for result in results for failure in result.failures] == []
    return [result.test.name for result in results]


async def test_the_first_example_passes(tmp_path: Path) -> None:
    path = tmp_path / "refill-partial.yaml"
    path.write_text(BLOCKS[0], encoding="utf-8")
    assert len(await passed([path])) == 4


async def test_the_example_under_guards_passes(tmp_path: Path) -> None:
    path = tmp_path / "refill-partial.yaml"
    path.write_text(BLOCKS[0] + BLOCKS[1], encoding="utf-8")
    assert len(await passed([path])) == 5


async def test_the_example_beside_rules_passes(tmp_path: Path) -> None:
    for name in ("refill-partial", "low-balance"):
        (tmp_path / f"{name}.yaml").write_bytes((ROOT / "rules" / f"{name}.yaml").read_bytes())
    (tmp_path / "tests").mkdir()
    path = tmp_path / "tests" / "nightly.yaml"
    path.write_text(BLOCKS[2], encoding="utf-8")
    assert await passed([path]) == ["an empty account and a partial order"]


@pytest.mark.parametrize("text", ASSUMPTIONS)
def test_every_assumption_of_a_replay_is_in_the_guide(text: str) -> None:
    plain = " ".join(GUIDE.replace("\n", " ").split()).casefold()
    first = re.split(r"[:.;]", text)[0].casefold()
    assert first in plain


DEFAULTS = (
    ("order", "id == '1' and status == 'In progress'"),
    ("order", "quantity == 1000 and remains == 1000 and start_count == 100 and delivered == 0"),
    ("order", "charge == 1.00 and currency == 'USD' and link == 'https://example.com/post' and age == 1h"),
    ("order", "service.id == '1' and balance.amount == 100 and panel.name == 'main' and panel.reachable"),
    ("service", "id == '1' and name == 'Followers' and type == 'Default' and category == 'Social'"),
    ("service", "rate == 1 and service.min == 10 and service.max == 100000"),
    ("service", "refill and cancel and not dripfeed and not gone"),
    ("balance", "amount == 100 and currency == 'USD'"),
    ("panel", "name == 'main' and reachable"),
    ("refill", "id == '1' and status == 'Pending' and order.id == '1'"),
)


@pytest.mark.parametrize(("kind", "condition"), DEFAULTS)
async def test_what_isnt_said_is_as_the_guide_says(tmp_path: Path, kind: str, condition: str) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(
        f"""
rules:
  - name: ordinary
    watch: {kind}
    when: {condition!r}
    do: [{{log: {{message: so}}}}]
tests:
  - name: x
    given: {{{kind}: {{}}}}
    at: {{0m: [ordinary]}}
""",
        encoding="utf-8",
    )
    assert await passed([path]) == ["x"]


async def test_every_example_file_passes_and_is_wholly_covered() -> None:
    from smm_rules.rehearsal.testing.coverage import Coverage

    suite, coverage = gather_tests([ROOT / "rules"]), Coverage()
    for test in suite.tests:
        result = await play(test, coverage.swept)
        coverage.taken(test.rules, result.stage.record.steps)
        assert (test.name, result.failures) == (test.name, ())
    assert [gap for rule in coverage.of(suite.rules) for gap in rule.gaps] == []
