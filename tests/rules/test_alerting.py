"""What a rule says of alerts: levels, escalation and reminders, and what is wrong with it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from smm_rules.document import DocumentError
from smm_rules.ledger.codec import decode_steps, encode_steps
from smm_rules.rules.loader import load_rules
from smm_rules.rules.model import DOUBLING, Reminding, Rule
from smm_rules.rules.scope import Scope
from smm_rules.rules.words import in_words

SCOPE = Scope(panels=frozenset({"north"}), channels={"ops": "log", "boss": "log"})
STAGES = [{"after": 1800, "channel": "boss"}]


def rule(tmp_path: Path, more: str = "", step: str = "notify: {channel: ops, message: low}") -> Rule:
    path = tmp_path / "rules.yaml"
    text = f"rules:\n  - name: low\n    watch: balance\n    when: amount < 20\n{more}    do: [{{{step}}}]\n"
    path.write_text(text, encoding="utf-8")
    [loaded] = load_rules([path], SCOPE).rules.rules
    return loaded


def refused(tmp_path: Path, more: str = "", step: str = "notify: {channel: ops, message: low}") -> str:
    with pytest.raises(DocumentError) as error:
        rule(tmp_path, more, step)
    [problem] = error.value.problems
    return str(problem).partition("rules.yaml:")[2]


def test_a_step_names_its_level_and_who_is_told_next(tmp_path: Path) -> None:
    step = "notify: {channel: ops, message: low, level: error, escalate: {after: 30m, channel: boss}}"
    [loaded] = rule(tmp_path, step=step).do
    assert loaded.parameters == {
        "channel": "ops",
        "message": "low",
        "level": "error",
        "escalate": STAGES,
    }


def test_its_steps_can_be_kept_in_the_ledger(tmp_path: Path) -> None:
    steps = rule(tmp_path, "    escalate: [{after: 90m, channel: boss}]\n").do
    assert decode_steps(encode_steps(steps)) == steps


def test_a_rule_s_escalation_is_that_of_its_first_message(tmp_path: Path) -> None:
    steps = "notify: {channel: ops, message: low}}, {notify: {channel: boss, message: low}"
    first, second = rule(tmp_path, "    escalate: [{after: 30m, channel: boss}]\n", steps).do
    assert (first.parameters.get("escalate"), second.parameters.get("escalate")) == (STAGES, None)


def test_reminders_have_two_forms(tmp_path: Path) -> None:
    short = rule(tmp_path, "    remind: 6h\n")
    assert (short.remind, short.reminding) == (timedelta(hours=6), DOUBLING)
    long = rule(tmp_path, "    remind: {every: 1h, factor: 3, at_most: 5}\n")
    assert (long.remind, long.reminding) == (timedelta(hours=1), Reminding(3, 5))
    assert rule(tmp_path).remind is None


def test_the_same_reminders_are_the_same_rule_in_either_form(tmp_path: Path) -> None:
    versions = {
        written: rule(tmp_path, f"    remind: {written}\n").version
        for written in ("6h", "{every: 6h}", "{every: 6h, factor: 2}", "{every: 6h, factor: 3}")
    }
    assert versions["6h"] == versions["{every: 6h}"] == versions["{every: 6h, factor: 2}"]
    assert versions["6h"] != versions["{every: 6h, factor: 3}"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("    remind: 5s\n", "5:13: error: `remind` must be at least 1m, not 5s"),
        ("    remind: soon\n", "5:13: error: `remind` must be a duration like"),
        ("    remind: {every: 5s}\n", "5:21: error: `every` must be at least 1m, not 5s"),
        ("    remind: {every: 1h, factor: 9}\n", "5:33: error: `factor` must be at most 8"),
        ("    escalate: [{after: 30m, channel: bos}]\n", '5:38: error: There is no channel "bos"'),
        ("    escalate: {after: 30m, channel: bos}\n", '5:37: error: There is no channel "bos"'),
        ("    escalate: [{after: 5s, channel: boss}]\n", "5:24: error: `after` must be at least 1m"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, more: str, message: str) -> None:
    assert refused(tmp_path, more).startswith(message)


def test_an_escalation_needs_something_to_escalate(tmp_path: Path) -> None:
    more = "    escalate: {after: 30m, channel: boss}\n"
    assert "`do` notifies nobody" in refused(tmp_path, more, "log: {message: low}")


def test_an_end_is_not_escalated(tmp_path: Path) -> None:
    done = "    done: [{notify: {channel: ops, message: m, escalate: {after: 1h, channel: boss}}}]\n"
    assert "nobody need acknowledge" in refused(tmp_path, done)


def test_a_step_s_escalation_names_a_channel_that_is_there(tmp_path: Path) -> None:
    step = "notify: {channel: ops, message: m, escalate: [{after: 1h, channel: bos}]}"
    assert 'There is no channel "bos"' in refused(tmp_path, step=step)


def test_it_is_told_in_words(tmp_path: Path) -> None:
    more = "    remind: {every: 1h, factor: 1, at_most: 3}\n    escalate: {after: 30m, channel: boss}\n"
    text = "\n".join(in_words(rule(tmp_path, more)))
    assert "While it lasts it is told again every 1h, 3 times at most." in text
    assert 'tell ops: "low"; and, unless somebody acknowledges it, boss after 30m' in text
