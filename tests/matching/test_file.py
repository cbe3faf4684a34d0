"""The mapping file: what is accepted, and what every fault of it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from smm_rules.document import DocumentError
from smm_rules.matching.equal import Group, Member
from smm_rules.matching.file import load_mapping
from smm_rules.matching.offered import Offered, catalogue_problems

PANELS = ("north", "south", "east")
GOOD = """\
services:
  - name: followers
    state: confirmed
    services: {south: 70, north: 7}
  - name: likes
    state: proposed
    services: {nowhere: 1, north: 7}
  - joins: Followers
    state: confirmed
    services: {east: "7-00"}
  - name: views
    state: refused
    services: {north: 9, south: 90}
"""


def written(path: Path, text: str) -> Path:
    file = path / "services.yaml"
    file.write_text(text)
    return file


def problems(path: Path, text: str) -> list[str]:
    with pytest.raises(DocumentError) as raised:
        load_mapping(written(path, text), PANELS)
    told = []
    for one in raised.value.problems:
        place = f"{one.position.line}:{one.position.column}"
        told.append(f"{place} {one.message} | {one.suggestion}")
    return told


def test_only_what_is_confirmed_is_in_force_in_the_files_order(tmp_path: Path) -> None:
    loaded = load_mapping(written(tmp_path, GOOD), PANELS)

    assert loaded.equal.groups == (
        Group("followers", (Member("south", "70"), Member("north", "7"), Member("east", "7-00"))),
    )
    assert loaded.equal.group_of("east", "7-00") is loaded.equal.groups[0]
    assert loaded.equal.group_of("north", "9") is None
    assert loaded.equal.group_of("north", None) is None


def entry(services: str, name: str = "a", state: str = "confirmed") -> str:
    return f"  - name: {name}\n    state: {state}\n    services: {services}\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "services:\n" + entry("{north: 7, souht: 70}"),
            '4:26 There is no panel "souht" in the configuration | Did you mean "south"?',
        ),
        (
            "services:\n" + entry("{north: 7}"),
            '4:15 The group "a" has one service; equal are two of two panels at least | '
            "Add another panel's service",
        ),
        (
            "services:\n" + entry("{north: 7, south: 70}") + entry("{north: 7, east: 1}", "b"),
            "7:23 Service 7 of north stands at line 4 already | A service can be in one group only",
        ),
        (
            "services:\n" + entry("{north: 7, south: 70}") + entry("{north: 8, east: 1}", "A"),
            '5:11 The name "A" is taken; it stands at line 2 already | Give each group a name of its own',
        ),
        (
            "services:\n  - joins: a\n    state: confirmed\n    services: {east: 1}\n",
            '2:12 There is no confirmed group "a" to join | Confirmed are: none',
        ),
        (
            "services:\n"
            + entry("{north: 7, south: 70}")
            + "  - joins: a\n    state: confirmed\n    services: {north: 8}\n",
            "7:23 The group has a service of north at line 4 already | "
            "A group has one service of each panel at most",
        ),
        (
            "services:\n  - name: a\n    joins: b\n    state: confirmed\n    services: {east: 1}\n",
            "2:5 Only one of these keys can stand here: name, joins | Make one entry of each",
        ),
        (
            "services:\n" + entry("{north: 7, south: [70]}"),
            "4:33 `south` must be the ID of a service, not a list | ",
        ),
        (
            "services:\n" + entry("{north: 7, south: 70}", state="yes"),
            "3:12 ",
        ),
        (
            "services:\n  - name: a\n    confirmed: true\n    services: {north: 7, south: 8}\n",
            '3:5 Unknown key "confirmed" | Write state: confirmed',
        ),
    ],
)
def test_every_fault_says_where_and_what_to_do(tmp_path: Path, text: str, told: str) -> None:
    found = problems(tmp_path, text)

    assert any(one.startswith(told) for one in found), found


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    text = "services:\n" + entry("{nort: 7}") + entry("{north: 8, soth: 1}", "b")

    assert len(problems(tmp_path, text)) == 3


def row(panel: str, service: str, **more: object) -> Offered:
    given = {"name": "x", "type": "Default", "least": 10, "most": 1000} | more
    return Offered(Member(panel, service), **given)  # type: ignore[arg-type]


def against(tmp_path: Path, *rows: Offered, read: tuple[str, ...] = PANELS) -> list[str]:
    loaded = load_mapping(written(tmp_path, GOOD), PANELS)
    return [
        f"{one.severity.value} {one.position.line}:{one.position.column} {one.message}"
        for one in catalogue_problems(loaded, {one.member: one for one in rows}, read)
    ]


def test_catalogues_that_agree_have_nothing_to_say(tmp_path: Path) -> None:
    rows = (row("south", "70"), row("north", "7", type="default"), row("east", "7-00", most=None))

    assert against(tmp_path, *rows) == []


def test_another_type_and_quantities_that_never_fit_are_wrong(tmp_path: Path) -> None:
    found = against(
        tmp_path, row("south", "70"), row("north", "7", type="Package"), row("east", "7-00", least=5000)
    )

    assert found == [
        "error 4:34 Service 7 of north is of type Package, and south/70 of type Default",
        "error 10:22 Service 7-00 of east takes no quantity that south/70 takes",
    ]


def test_a_service_that_is_gone_is_a_warning_and_an_unread_catalogue_is_nothing(tmp_path: Path) -> None:
    found = against(tmp_path, row("south", "70", gone=True), read=("south", "north"))

    assert found == [
        "warning 4:23 Service 70 is not in the catalogue of south",
        "warning 4:34 Service 7 is not in the catalogue of north",
    ]
