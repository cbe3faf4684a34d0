"""`smm-rules audit`: the record listed, shown, verified and written out."""

from __future__ import annotations

import csv
import io
import json
import stat
from contextlib import closing
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import apsw
import pytest

from smm_rules.ledger.audit import GENESIS, AuditKind, RuleText
from smm_rules.ledger.records import IntentState
from smm_rules.ledger.sqlite import SqliteLedger
from tests.cli.command import configure, said
from tests.cli.stage import intent, stage
from tests.ledger.builders import DAY, T0

Capture = pytest.CaptureFixture[str]
TEXT = '- name: top-up\n  watch: order\n  when: status == "Partial"\n'


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smm_rules.clock.SystemClock.now", lambda _: T0 + timedelta(hours=1))


async def rules(ledger: SqliteLedger) -> None:
    await ledger.rules_in_force([RuleText("top-up", "v1", TEXT)], T0, "daemon", ["rules"])


async def pause(ledger: SqliteLedger) -> None:
    await ledger.audit(AuditKind.PAUSE, "operator:ann", "", {"reason": "=1+1 [bold]"}, T0 - 2 * DAY)


@pytest.fixture
def filled(here: Path) -> Path:
    configure(here)
    stage(here / "ledger.db", pause, rules, intent(IntentState.CONFIRMED))
    return here


def test_the_newest_decision_stands_last_with_who_took_it(filled: Path, capsys: Capture) -> None:
    found = said(capsys, "audit", "list")
    assert found.code == 0
    assert [line.split()[0] for line in found.out.splitlines()] == [
        "entry",
        *"123456",
    ]
    assert "operator:ann" in found.out
    assert "rule top-up fired (version v1)" in found.out
    assert "intent 1: sending → confirmed" in found.out


def test_a_list_is_narrowed_by_time_kind_rule_order_and_intent(filled: Path, capsys: Capture) -> None:
    def ids(*arguments: str) -> list[int]:
        found = said(capsys, "audit", "list", "--json", *arguments)
        return [entry["id"] for entry in json.loads(found.out)]

    assert ids() == [1, 2, 3, 4, 5, 6]
    assert ids("--since", "1d") == [2, 3, 4, 5, 6]
    assert ids("--until", "1d") == [1]
    assert ids("--kind", "firing", "--kind", "rules") == [2, 3]
    assert ids("--rule", "top-up") == [3, 4, 5, 6]
    assert ids("--order", "north/1") == [3, 4, 5, 6]
    assert ids("--order", "2") == []
    assert ids("--intent", "1") == [4, 5, 6]
    assert ids("--limit", "2") == [5, 6]


def test_a_decision_shows_its_facts_and_the_rule_as_written_then(filled: Path, capsys: Capture) -> None:
    found = said(capsys, "audit", "show", "3")
    assert "remains: 157" in found.out
    assert TEXT.splitlines()[2] in found.out
    shape = json.loads(said(capsys, "audit", "show", "3", "--json").out)
    assert shape["rule_texts"] == {"top-up": TEXT}
    assert said(capsys, "audit", "show", "2").out.count(TEXT.splitlines()[1]) == 1


def test_an_entry_that_is_not_there_is_said(filled: Path, capsys: Capture) -> None:
    found = said(capsys, "audit", "show", "99")
    assert (found.code, "no entry 99" in found.err) == (1, True)


def test_a_sound_record_says_its_head_which_proves_it_later(filled: Path, capsys: Capture) -> None:
    found = said(capsys, "audit", "verify")
    assert (found.code, "6 entries, 1 to 6" in found.out) == (0, True)
    head = found.out.splitlines()[1].removeprefix("head ")
    assert said(capsys, "audit", "verify", "--head", head).code == 0
    other = said(capsys, "audit", "verify", "--head", f"6:{'0' * 64}")
    assert (other.code, "Broken at entry 6" in other.err) == (1, True)
    assert said(capsys, "audit", "verify", "--head", "six").code == 2


def test_a_changed_record_is_named_at_its_first_bad_entry(filled: Path, capsys: Capture) -> None:
    with closing(apsw.Connection(str(filled / "ledger.db"))) as connection:
        connection.execute("DROP TRIGGER audit_is_never_changed")
        connection.execute("UPDATE audit SET by = 'operator:bob' WHERE id = 4")
    found = said(capsys, "audit", "verify", "--json")
    shape = json.loads(found.out)
    assert (found.code, shape["sound"], shape["fault"]["entry"]) == (1, False, 4)


def test_the_exported_lines_alone_prove_the_chain(filled: Path, capsys: Capture) -> None:
    found = said(capsys, "audit", "export", "-o", "record.jsonl")
    path = filled / "record.jsonl"
    assert (found.code, stat.S_IMODE(path.stat().st_mode)) == (0, 0o600)
    previous = GENESIS
    for line in path.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        data = json.dumps(entry["data"], sort_keys=True, separators=(",", ":"))
        told = [entry["id"], entry["at_micros"], entry["kind"], entry["by"], entry["subject"], data]
        text = f"{previous}\n{json.dumps(told, separators=(',', ':'))}"
        previous = sha256(text.encode("ascii")).hexdigest()
        assert entry["hash"] == previous


def test_a_spreadsheet_gets_text_and_no_formulas(filled: Path, capsys: Capture) -> None:
    found = said(capsys, "audit", "export", "--format", "csv", "--kind", "pause", "--kind", "firing")
    rows = list(csv.DictReader(io.StringIO(found.out)))
    assert [row["kind"] for row in rows] == ["pause", "firing"]
    assert rows[0]["what"] == "pause: reason =1+1 [bold]"
    assert json.loads(rows[1]["data"])["facts"] == {"remains": 157, "status": "Partial"}
