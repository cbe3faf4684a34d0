"""`smm-rules services match`: proposals into a file, the user's word kept, and the mapping checked."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from smm_rules.engine.service_facts import observe_catalogue
from smm_rules.facts import Entity, EntityKind, Facts
from smm_rules.ledger.records import Observed, Sweep
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.matching.file import load_mapping
from smm_rules.panel.answers import Service
from tests.cli.command import LOW_BALANCE, said
from tests.cli.stage import stage
from tests.ledger.builders import T0

Capture = pytest.CaptureFixture[str]

CONFIGURATION = """\
panels:
  - {name: north, url: "https://north.example/api/v2", key: {env: NORTH_KEY}}
  - {name: south, url: "https://south.example/api/v2", key: {env: SOUTH_KEY}}
channels:
  ops: {log: {}}
rules: rules
ledger: ledger.db
"""
FOLLOWERS = "Instagram Followers [Real] [R30]"


def service(number: str, name: str, rate: str = "1.00", type_: str = "Default", most: int = 5000) -> Service:
    return Service(number, name, type_, "Instagram", Decimal(rate), 10, most, True, True, False)


CATALOGUES = {
    "north": [service("7", FOLLOWERS), service("8", "Instagram Likes", "0.50")],
    "south": [service("70", "IG Followers Real R30", "0.90"), service("80", "Youtube Views")],
}


async def two_shops(ledger: SqliteLedger) -> None:
    for panel, rows in CATALOGUES.items():
        seen = observe_catalogue({}, rows, T0)
        money: Facts = {"amount": Decimal(5), "currency": "EUR"}
        observed = [
            Observed(Entity(EntityKind.SERVICE, panel, name), one.facts, True, None)
            for name, one in seen.items()
        ]
        await ledger.record(
            Sweep(T0, (*observed, Observed(Entity(EntityKind.BALANCE, panel), money, True, None)))
        )


@pytest.fixture
def shops(here: Path) -> Path:
    (here / "smm-rules.yaml").write_text(CONFIGURATION)
    (here / "rules").mkdir()
    (here / "rules" / "rules.yaml").write_text(LOW_BALANCE)
    stage(here / "ledger.db", two_shops)
    return here


def test_a_proposal_is_written_with_its_reasons_and_has_no_effect(shops: Path, capsys: Capture) -> None:
    done = said(capsys, "services", "match")

    assert done.code == 0
    assert "1 proposal added to services.yaml" in done.out
    assert "services: services.yaml" in done.err
    text = (shops / "services.yaml").read_text()
    assert "  name: instagram-follower-real-30\n" not in text
    assert "- name: instagram-follower-real-30\n  state: proposed\n  services: {north: 7, south: 70}" in text
    assert "#   south/70: IG Followers Real R30; 0.90 EUR for 1000; 10 to 5000; refill; cancel" in text
    assert "both of type Default" in text
    assert load_mapping(shops / "services.yaml", ["north", "south"]).equal.groups == ()


def test_what_the_user_wrote_stays_word_for_word(shops: Path, capsys: Capture) -> None:
    said(capsys, "services", "match")
    file = shops / "services.yaml"
    mine = file.read_text().replace("state: proposed", "state: confirmed  # tried it") + "\n# mine\n"
    file.write_text(mine)

    again = said(capsys, "services", "match")
    assert again.code == 0
    assert "Nothing new" in again.out
    assert file.read_text() == mine

    file.write_text(mine.replace("south: 70", "south: 80"))
    more = said(capsys, "services", "match", "--at-least", "0.1")
    assert more.code == 0
    assert file.read_text().startswith(mine.replace("south: 70", "south: 80"))
    assert [entry.state for entry in load_mapping(file, None).spec.services] == ["confirmed", "proposed"]


def test_scripts_get_json_and_a_dry_run_writes_nothing(shops: Path, capsys: Capture) -> None:
    found = json.loads(said(capsys, "services", "match", "--json").out)
    shown = said(capsys, "services", "match", "--dry-run")

    assert [one["services"] for one in found] == [{"north": "7", "south": "70"}]
    assert "state: proposed" in shown.out
    assert not (shops / "services.yaml").exists()


def test_the_mapping_is_held_against_the_catalogues(shops: Path, capsys: Capture) -> None:
    file = shops / "services.yaml"
    file.write_text("services:\n  - {name: a, state: confirmed, services: {north: 7, south: 71}}\n")
    gone = said(capsys, "services", "match", "--check")
    file.write_text("services:\n  - {name: a, state: confirmed, services: {north: 7, south: 70}}\n")
    fine = said(capsys, "services", "match", "--check")
    file.write_text("services:\n  - {name: a, state: proposed, services: {north: 7, south: 70}}\n")
    waiting = said(capsys, "services", "match", "--check")

    assert waiting.out.splitlines()[-1] == "1 proposal without your word yet, and so without effect."
    assert gone.code == 0
    assert "Service 71 is not in the catalogue of south" in gone.err
    assert (fine.code, fine.out) == (0, "1 confirmed, 0 problems.\n")


def test_a_mapping_that_can_not_be_right_is_exit_code_3(shops: Path, capsys: Capture) -> None:
    async def package(ledger: SqliteLedger) -> None:
        rows = observe_catalogue({}, [service("90", "Followers", type_="Package")], T0)
        await ledger.record(
            Sweep(T0, (Observed(Entity(EntityKind.SERVICE, "south", "90"), rows["90"].facts, True, None),))
        )

    stage(shops / "ledger.db", package)
    file = shops / "services.yaml"
    file.write_text("services:\n  - {name: a, state: confirmed, services: {north: 7, south: 90}}\n")

    done = said(capsys, "services", "match", "--check")

    assert done.code == 3
    assert "services.yaml:2:" in done.err
    assert "is of type Package, and north/7 of type Default" in done.err


def test_a_broken_mapping_is_told_with_its_place_and_left_alone(shops: Path, capsys: Capture) -> None:
    file = shops / "services.yaml"
    file.write_text("services:\n  - {name: a, state: confirmed, services: {north: 7, nouth: 70}}\n")
    before = file.read_text()

    done = said(capsys, "services", "match")

    assert done.code == 3
    assert "services.yaml:2:" in done.err
    assert file.read_text() == before


def test_a_file_in_another_form_is_left_alone(shops: Path, capsys: Capture) -> None:
    file = shops / "services.yaml"
    file.write_text("services: []\n")

    done = said(capsys, "services", "match")

    assert done.code == 1
    assert "state: proposed" in done.out
    assert file.read_text() == "services: []\n"


def test_a_rule_that_has_a_panel_chosen_needs_a_sound_mapping(shops: Path, capsys: Capture) -> None:
    rule = """\
rules:
  - name: elsewhere
    watch: order
    when: status == "Canceled"
    do: [reorder: {panel: cheapest}]
    limit: {per_chain: 2}
"""
    (shops / "rules" / "rules.yaml").write_text(rule)
    without = said(capsys, "check")
    (shops / "smm-rules.yaml").write_text(CONFIGURATION + "services: services.yaml\n")
    missing = said(capsys, "check")
    (shops / "services.yaml").write_text(
        "services:\n  - {name: a, state: confirmed, services: {north: 7, south: 70}}\n"
    )
    sound = said(capsys, "check")
    (shops / "rules" / "rules.yaml").write_text(rule.replace("cheapest}", "next, service: 9}"))
    both = said(capsys, "check")

    assert without.code == 3
    assert "rules.yaml:5:27: error: `panel: cheapest` needs the mapping" in without.err + without.out
    assert missing.code == 3
    assert "services.yaml" in missing.err + missing.out
    assert sound.code == 0, sound.err
    assert both.code == 3
    assert "takes the service that the mapping says is equal" in both.err + both.out


@pytest.mark.parametrize("name", ["next", "Cheapest", "same"])
def test_a_panel_can_not_be_called_like_a_way_to_choose_one(shops: Path, capsys: Capture, name: str) -> None:
    (shops / "smm-rules.yaml").write_text(CONFIGURATION.replace("name: south", f"name: {name}"))

    done = said(capsys, "check")

    assert done.code == 3
    assert f'A panel can\'t be named "{name}"' in done.err + done.out
