"""Proposals of equal services: what is found, what isn't, and what the user's word is worth."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smm_rules.matching.equal import Member
from smm_rules.matching.file import LoadedMapping, load_mapping
from smm_rules.matching.names import Weights, numbers_differ, words_of
from smm_rules.matching.offered import Offered
from smm_rules.matching.proposing import Proposal, propose
from smm_rules.matching.writing import new_file, with_more

SHOP = (
    "Instagram Followers [Real] [R30]",
    "Instagram Followers [Bots] [No refill]",
    "Instagram Likes | HQ",
    "Youtube Views ~ 30 days guaranteed",
    "TikTok Followers Turkey",
)


def rows(panel: str, names: tuple[str, ...], first: int = 1, **more: object) -> list[Offered]:
    given_ = {"type": "Default", "least": 10, "most": 10_000, "rate": Decimal("1.5")} | more
    return [
        Offered(Member(panel, str(first + number)), name, **given_)  # type: ignore[arg-type]
        for number, name in enumerate(names)
    ]


def pairs(found: tuple[Proposal, ...]) -> list[list[str]]:
    return [[str(row.member) for row in one.services] for one in found]


def test_the_same_shop_under_other_words_is_found() -> None:
    theirs = (
        "Views for YouTube, 30 day guarantee",
        "IG Follower Real R30",
        "INSTAGRAM LIKES high quality",
        "Tiktok follower | Turkey 🇹🇷",
        "Telegram Members",
    )
    found = propose({"north": rows("north", SHOP), "south": rows("south", theirs, 100)}, None, 0.5)

    assert sorted(pairs(found)) == [
        ["north/1", "south/101"],
        ["north/3", "south/102"],
        ["north/4", "south/100"],
        ["north/5", "south/103"],
    ]
    assert all(0.5 <= one.score <= 1 for one in found)
    assert found == tuple(sorted(found, key=lambda one: -one.score))


def test_what_differs_is_said() -> None:
    one = rows("north", ("Instagram Followers R30",), refill=True)
    other = rows("south", ("Instagram Followers R60",), refill=False)

    [proposal] = propose({"north": one, "south": other}, None, 0.1)

    assert "BUT numbers differ: 30 and 60" in proposal.reasons
    assert "BUT only north/1 has refill" in proposal.reasons
    assert "both take 10 to 10000" in proposal.reasons


@pytest.mark.parametrize("more", [{"type": "Package"}, {"least": 20_000, "most": 50_000}])
def test_what_can_not_be_equal_is_not_proposed(more: dict[str, Any]) -> None:
    catalogues = {"north": rows("north", SHOP[:1]), "south": rows("south", SHOP[:1], **more)}

    assert propose(catalogues, None, 0.0) == ()


def test_three_panels_make_one_group() -> None:
    catalogues = {panel: rows(panel, SHOP) for panel in ("north", "south", "east")}

    found = propose(catalogues, None)

    assert len(found) == len(SHOP)
    assert all(len(one.services) == 3 for one in found)
    assert all(len({row.member.panel for row in one.services}) == 3 for one in found)


def mapping(tmp_path: Path, text: str) -> LoadedMapping:
    file = tmp_path / "services.yaml"
    file.write_text(text)
    return load_mapping(file, None)


def test_the_users_word_stands(tmp_path: Path) -> None:
    """Confirmed, refused and waiting entries aren't proposed again; a new panel joins what is confirmed."""
    known = mapping(
        tmp_path,
        "services:\n"
        "  - {name: a, state: confirmed, services: {north: 1, south: 1}}\n"
        "  - {name: b, state: refused, services: {north: 2, south: 2}}\n"
        "  - {name: c, state: proposed, services: {north: 3, south: 3}}\n",
    )
    two = {panel: rows(panel, SHOP[:3]) for panel in ("north", "south")}

    assert propose(two, known, 0.9) == ()
    found = propose({**two, "east": rows("east", SHOP[:1])}, known, 0.9)
    assert [(one.joins, pairs((one,))) for one in found] == [("a", [["east/1"]])]


def test_a_refused_addition_to_a_group_is_not_proposed_again(tmp_path: Path) -> None:
    known = mapping(
        tmp_path,
        "services:\n"
        "  - {name: a, state: confirmed, services: {north: 1, south: 1}}\n"
        "  - {joins: a, state: refused, services: {east: 1}}\n",
    )
    catalogues = {panel: rows(panel, SHOP[:1]) for panel in ("north", "south", "east")}

    assert propose(catalogues, known, 0.0) == ()


NAMES = st.lists(
    st.sampled_from(
        [
            "instagram",
            "followers",
            "likes",
            "real",
            "r30",
            "60",
            "views",
            "hq",
            "null",
            "true",
            "'\"\n# {}",
            "é🇹🇷",
        ]
    ),
    max_size=5,
).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["north", "south", "east"]), st.lists(NAMES, max_size=6), min_size=2),
    st.floats(0, 1),
)
def test_proposals_make_a_file_that_can_be_confirmed_and_then_has_nothing_new(
    tmp_path_factory: pytest.TempPathFactory, names: dict[str, list[str]], least: float
) -> None:
    """Law: whatever panels call their services, the file is sound, and says all there is to say once."""
    catalogues = {panel: rows(panel, tuple(each)) for panel, each in names.items()}
    found = propose(catalogues, None, least)
    members = [row.member for one in found for row in one.services]
    assert len(members) == len(set(members))
    for one in found:
        panels = [row.member.panel for row in one.services]
        assert len(panels) == len(set(panels)) >= 2
        assert 0 <= least <= one.score <= 1
    if not found:
        return
    directory = tmp_path_factory.mktemp("law")
    text = new_file(found, {"north": "USD"})
    waiting = mapping(directory, text)
    assert [entry.members for entry in waiting.spec.services] == [
        tuple(row.member for row in one.services) for one in found
    ]
    assert waiting.equal.groups == ()
    known = mapping(directory, text.replace("state: proposed", "state: confirmed"))
    more = propose(catalogues, known, least)
    assert all(one.joins is not None or not any(m in members for m in _of(one)) for one in more)
    longer = with_more(known, more, {})
    assert longer is not None
    assert longer.startswith(known.document.text)
    assert mapping(directory, longer).equal == known.equal


def _of(proposal: Proposal) -> list[Member]:
    return [row.member for row in proposal.services]


def test_words_have_one_form() -> None:
    assert words_of("IG Followers — R30, 007 x") == {"instagram", "follower", "30", "7"}
    assert numbers_differ("R30", "R60 max") == ("30", "60")
    assert numbers_differ("R30 max 5", "R30") is None


def test_rare_words_tell_more() -> None:
    weights = Weights.of(["followers real", "followers bots", "followers", "likes"])

    assert weights.weight("bot") > weights.weight("follower")
    assert weights.alike("followers bots", "followers bots") == 1.0
    assert weights.alike("followers bots", "likes real") == 0.0


def test_a_file_in_another_form_is_left_alone(tmp_path: Path) -> None:
    known = mapping(tmp_path, "services: [{name: a, state: confirmed, services: {north: 1, south: 1}}]\n")

    assert with_more(known, [], {}) is None
