"""One name for all that belongs to an episode."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from smm_rules.engine.firing import Firing, Occasion
from smm_rules.facts import Entity, EntityKind
from smm_rules.observe import correlation_of, correlation_of_message

EPISODE = datetime(2026, 3, 1, 12, 30, 0, 250_000, tzinfo=UTC)
ORDER = Entity(EntityKind.ORDER, "north", "1001")


def firing(occasion: Occasion, entity: Entity = ORDER) -> Firing:
    return Firing("top-up", "1", entity, entity, EPISODE, occasion, 2, EPISODE, {}, (), ())


def test_it_names_the_episode_and_nothing_else() -> None:
    name = correlation_of("top-up", ORDER, EPISODE)
    assert name == "198b9940efe2"
    assert correlation_of("top-up", str(ORDER), EPISODE.astimezone(timezone(timedelta(hours=2)))) == name
    others = {
        correlation_of("top", ORDER, EPISODE),
        correlation_of("top-up", Entity(EntityKind.ORDER, "north", "1002"), EPISODE),
        correlation_of("top-up", ORDER, EPISODE + timedelta(microseconds=1)),
    }
    assert len(others - {name}) == 3


@pytest.mark.parametrize("occasion", list(Occasion))
@pytest.mark.parametrize(
    "entity", [ORDER, Entity(EntityKind.ORDER, "north", "a:b:2026-01-01"), Entity(EntityKind.BALANCE, "n")]
)
def test_a_message_of_a_firing_belongs_to_the_episode(occasion: Occasion, entity: Entity) -> None:
    key = f"{firing(occasion, entity).key}:do.1:escalate.0"
    assert correlation_of_message(key) == {"correlation": correlation_of("top-up", entity, EPISODE)}


def test_a_message_of_the_daemon_names_its_intent() -> None:
    assert correlation_of_message("operator:unknown:17") == {"intent": 17}
    assert correlation_of_message("operator:held:8:1:budget:x") == {"intent": 8}
    assert correlation_of_message("operator:poll_failing:north:orders:5") == {}
    assert correlation_of_message("statement:2026-03-01") == {}
