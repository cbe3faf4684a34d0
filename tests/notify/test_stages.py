"""Each stage by itself, what comes before what, and that nothing waits for ever beside another."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smm_rules.config.alerts import AlertSettings, GroupSettings, Rate
from smm_rules.engine.firing import Telling
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.alerts import Alert, AlertMessage, AlertState, GroupState, Matcher, Silence
from smm_rules.ledger.records import MessageState, QueuedMessage
from smm_rules.notify.stages import (
    LOOK_AGAIN,
    Reason,
    Send,
    Situation,
    Suppress,
    Wait,
    is_worth_resolving,
    judge,
    rate_limited,
)
from tests.notify.outbox import START, queued

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
ORDER = Entity(EntityKind.ORDER, "north", "1")
FIRED, REMINDED, ESCALATED, RESOLVED = Telling


def alert(number: int = 1, rule: str = "late", entity: Entity = ORDER, **more: object) -> Alert:
    one = Alert(number, f"{rule}:{entity}:x", rule, entity, START, "warning", AlertState.FIRING, START)
    return replace(one, **more)  # type: ignore[arg-type] # fields by name, in tests


ALERT = alert()
ACKNOWLEDGED = alert(state=AlertState.ACKNOWLEDGED, acknowledged_at=START)
OVER = alert(state=AlertState.RESOLVED, resolved_at=START)


def told(
    telling: Telling = FIRED,
    number: int = 1,
    state: MessageState = MessageState.PENDING,
    channel: str = "ops",
    attempts: int = 0,
) -> AlertMessage:
    return AlertMessage(number, channel, telling.value, state, "", attempts)


def message(telling: Telling = FIRED, number: int = 1, **more: object) -> QueuedMessage:
    return queued(number, alert=ALERT.key, telling=telling.value, level="warning", **more)


def settings(**written: object) -> AlertSettings:
    return AlertSettings.model_validate(written)


def silence(until: datetime = START + HOUR, number: int = 1, **matcher: str) -> Silence:
    return Silence(number, Matcher(**matcher), "known", "operator:ann", START, until)


DELIVERED = told(state=MessageState.DELIVERED)


def test_what_nothing_objects_to_is_sent() -> None:
    assert judge(message(), Situation(alert=ALERT), START) == Send()
    assert judge(queued(1), Situation(), START) == Send()


# -- life ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("telling", [REMINDED, ESCALATED])
def test_what_is_acknowledged_is_not_told_again(telling: Telling) -> None:
    situation = Situation(alert=ACKNOWLEDGED, messages=(DELIVERED,))
    assert judge(message(telling), situation, START) == Suppress(Reason.ACKNOWLEDGED)


@pytest.mark.parametrize("telling", [REMINDED, ESCALATED])
def test_what_is_over_is_not_told_as_if_it_went_on(telling: Telling) -> None:
    assert judge(message(telling), Situation(alert=OVER), START) == Suppress(Reason.RESOLVED)


def test_what_was_kept_back_until_it_was_over_or_known_is_not_told() -> None:
    kept = message(why="silenced")
    assert judge(kept, Situation(alert=OVER), START) == Suppress(Reason.RESOLVED)
    assert judge(kept, Situation(alert=ACKNOWLEDGED), START) == Suppress(Reason.ACKNOWLEDGED)
    assert judge(kept, Situation(alert=ALERT), START) == Send()


def test_what_its_channel_refused_meanwhile_is_told_though_it_is_over() -> None:
    assert judge(message(why="silenced", attempts=1), Situation(alert=OVER), START) == Send()
    assert judge(message(), Situation(alert=OVER), START) == Send()


def test_the_end_of_what_nobody_was_told_of_is_not_told() -> None:
    situation = Situation(alert=OVER, messages=(told(), told(RESOLVED, 2)))
    assert judge(message(RESOLVED, 2), situation, START) == Suppress(Reason.RESOLVED)


def test_the_end_of_what_was_told_or_acknowledged_is_told() -> None:
    end = message(RESOLVED, 2)
    assert judge(end, Situation(alert=OVER, messages=(DELIVERED,)), START) == Send()
    known = replace(OVER, acknowledged_at=START)
    assert judge(end, Situation(alert=known, messages=(told(),)), START) == Send()


def test_an_end_is_worth_telling_where_the_beginning_was_told() -> None:
    here = told(channel="ops", state=MessageState.SUPPRESSED)
    elsewhere = told(channel="boss", state=MessageState.DELIVERED)
    assert not is_worth_resolving("ops", OVER, (here, elsewhere))
    assert is_worth_resolving("boss", OVER, (here, elsewhere))
    assert is_worth_resolving("third", OVER, (here, elsewhere)), "the rule tells the end elsewhere"
    assert is_worth_resolving("ops", OVER, ()), "the rule tells nothing but the end"
    assert is_worth_resolving("ops", OVER, (told(state=MessageState.DEAD),))
    assert is_worth_resolving("ops", OVER, (told(attempts=1),)), "it will still be delivered"


# -- silences -----------------------------------------------------------------------------------------------
def test_what_is_silenced_waits_for_the_last_silence() -> None:
    silences = (silence(rule="la*"), silence(START + 2 * HOUR, 2, panel="north", entity="1", level="warning"))
    situation = Situation(alert=ALERT, silences=silences)
    verdict = judge(message(), situation, START)
    assert verdict == Wait(Reason.SILENCED, START + 2 * HOUR, "silence 2 (known)", 2)


@pytest.mark.parametrize(
    "matcher",
    [{"rule": "other"}, {"panel": "south"}, {"kind": "balance"}, {"entity": "2"}, {"level": "error"}],
)
def test_a_silence_of_others_keeps_nothing_back(matcher: dict[str, str]) -> None:
    assert judge(message(), Situation(alert=ALERT, silences=(silence(**matcher),)), START) == Send()


def test_a_silence_that_is_over_keeps_nothing_back() -> None:
    ended = replace(silence(), ended_at=START)
    assert judge(message(), Situation(alert=ALERT, silences=(ended,)), START) == Send()
    assert judge(message(), Situation(alert=ALERT, silences=(silence(START),)), START) == Send()


def test_an_end_waits_for_a_silence_too_and_is_told_then() -> None:
    situation = Situation(alert=OVER, messages=(DELIVERED,), silences=(silence(),))
    end = message(RESOLVED, 2)
    assert judge(end, situation, START) == Wait(Reason.SILENCED, START + HOUR, "silence 1 (known)", 1)
    later = replace(end, why="silenced")
    assert judge(later, situation, START + HOUR) == Send()


def test_a_reminder_does_not_wait_beside_what_says_the_same() -> None:
    reminder = message(REMINDED, 2)
    beside = Situation(alert=ALERT, messages=(told(), told(REMINDED, 2)), silences=(silence(),))
    assert judge(reminder, beside, START) == Suppress(Reason.SILENCED)
    alone = replace(beside, messages=(DELIVERED, told(REMINDED, 2)))
    assert judge(reminder, alone, START) == Wait(Reason.SILENCED, START + HOUR, "silence 1 (known)", 1)


# -- inhibition ---------------------------------------------------------------------------------------------
DOWN = alert(2, "panel-down", Entity(EntityKind.PANEL, "north"))
EXPLAINED = [{"if": {"rule": "panel-down"}, "silences": {"kind": "order"}}]
INHIBIT = settings(inhibit=EXPLAINED)


def test_an_open_alert_keeps_back_those_it_explains() -> None:
    situation = Situation(INHIBIT, ALERT, inhibitors=(DOWN,))
    verdict = judge(message(), situation, START)
    assert verdict == Wait(Reason.INHIBITED, START + LOOK_AGAIN, "alert 2 of rule panel-down")


@pytest.mark.parametrize(
    "inhibitors",
    [
        (),
        (replace(DOWN, state=AlertState.RESOLVED),),
        (replace(DOWN, rule="other"),),
        (replace(DOWN, entity=Entity(EntityKind.PANEL, "south")),),
    ],
)
def test_no_other_alert_does(inhibitors: tuple[Alert, ...]) -> None:
    assert judge(message(), Situation(INHIBIT, ALERT, inhibitors=inhibitors), START) == Send()


def test_alerts_on_both_sides_do_not_wait_for_each_other() -> None:
    both = settings(inhibit=[{"if": {"panel": "north"}, "silences": {"panel": "n*"}}])
    for mine, other in ((ALERT, DOWN), (DOWN, ALERT), (ALERT, ALERT)):
        assert judge(message(), Situation(both, mine, inhibitors=(other,)), START) == Send()


def test_of_two_rules_that_inhibit_each_other_the_one_that_fired_first_is_told() -> None:
    mutual = settings(
        inhibit=[
            {"if": {"rule": "panel-down"}, "silences": {"rule": "late"}},
            {"if": {"rule": "late"}, "silences": {"rule": "panel-down"}},
        ]
    )
    later = replace(DOWN, fired_at=ALERT.fired_at + HOUR)
    assert judge(message(), Situation(mutual, ALERT, inhibitors=(later, ALERT)), START) == Send()
    waits = Wait(Reason.INHIBITED, START + LOOK_AGAIN, "alert 1 of rule late")
    assert judge(message(), Situation(mutual, later, inhibitors=(later, ALERT)), START) == waits
    together = replace(DOWN, fired_at=ALERT.fired_at)
    assert judge(message(), Situation(mutual, together, inhibitors=(together, ALERT)), START) == waits
    assert judge(message(), Situation(mutual, ALERT, inhibitors=(together, ALERT)), START) == Send()


RULES = st.sampled_from(["a", "b", "c", "?", "*"])
LEVELS = st.sampled_from(["info", "error"])
SIDES = st.one_of(
    st.builds(lambda rule: {"rule": rule}, RULES),
    st.builds(lambda level: {"level": level}, LEVELS),
    st.builds(lambda rule, level: {"rule": rule, "level": level}, RULES, LEVELS),
)
INHIBITS = st.lists(st.builds(lambda one, other: {"if": one, "silences": other}, SIDES, SIDES), max_size=4)
OPEN_ALERTS = st.lists(st.tuples(st.sampled_from("abc"), LEVELS, st.integers(0, 3)), min_size=1, max_size=6)


@given(INHIBITS, OPEN_ALERTS)
def test_whatever_inhibits_what_somebody_is_told_of_something(
    inhibits: list[dict[str, object]], alerts: list[tuple[str, str, int]]
) -> None:
    wanted = settings(inhibit=inhibits)
    standing = tuple(
        alert(
            number,
            rule,
            Entity(EntityKind.ORDER, "north", str(number)),
            level=level,
            fired_at=START + hours * HOUR,
        )
        for number, (rule, level, hours) in enumerate(alerts, 1)
    )
    verdicts = [
        judge(
            queued(1, alert=one.key, telling=FIRED.value, level=one.level),
            Situation(wanted, one, inhibitors=standing),
            START,
        )
        for one in standing
    ]
    assert Send() in verdicts


def test_orders_wait_while_their_panel_cannot_be_read() -> None:
    situation = Situation(alert=ALERT, outages=frozenset({"north"}))
    expected = Wait(Reason.INHIBITED, START + LOOK_AGAIN, "panel north can't be read")
    assert judge(message(), situation, START) == expected
    assert judge(message(), replace(situation, outages=frozenset({"south"})), START) == Send()
    assert judge(message(), replace(situation, settings=settings(outages=False)), START) == Send()
    assert judge(message(), replace(situation, alert=DOWN), START) == Send()


# -- quiet hours, maintenance -------------------------------------------------------------------------------
QUIET = [{"channels": "ops", "from": "11:00", "to": "13:00"}]
OPEN = [{"panel": "north", "schedule": "0 11 * * *", "for": "2h"}]
NIGHT = settings(quiet_hours=QUIET)
UPKEEP = settings(maintenance=OPEN)


def test_quiet_hours_keep_back_all_but_the_grave() -> None:
    waiting = Wait(Reason.QUIET_HOURS, START + HOUR, "quiet hours of ops")
    assert judge(message(), Situation(NIGHT, ALERT), START) == waiting
    assert judge(replace(message(), level="error"), Situation(NIGHT, ALERT), START) == Send()
    assert judge(replace(message(), channel="boss"), Situation(NIGHT, ALERT), START) == Send()
    assert judge(message(), Situation(NIGHT, ALERT), START + HOUR) == Send()


def test_quiet_hours_are_for_the_daemon_s_own_messages_as_well() -> None:
    assert judge(queued(1), Situation(NIGHT), START) == Wait(
        Reason.QUIET_HOURS, START + HOUR, "quiet hours of ops"
    )
    assert judge(queued(1, level="error"), Situation(NIGHT), START) == Send()


def test_maintenance_keeps_back_the_alerts_of_its_panel() -> None:
    waiting = Wait(Reason.MAINTENANCE, START + HOUR, "maintenance of north")
    assert judge(message(), Situation(UPKEEP, ALERT), START) == waiting
    elsewhere = alert(entity=Entity(EntityKind.ORDER, "south", "1"))
    assert judge(message(), Situation(UPKEEP, elsewhere), START) == Send()


# -- groups and rates ---------------------------------------------------------------------------------------
GROUPING = GroupSettings(wait=MINUTE, interval=10 * MINUTE)


def test_the_first_of_a_group_waits_for_others() -> None:
    situation = Situation(alert=ALERT, grouping=GROUPING)
    assert judge(message(), situation, START) == Wait(Reason.GROUP_WAIT, START + MINUTE)
    assert judge(message(why="group_wait"), situation, START + MINUTE) == Send()


def test_a_later_one_goes_out_with_those_that_wait() -> None:
    situation = Situation(alert=ALERT, grouping=GROUPING, group=GroupState(START - MINUTE / 2))
    assert judge(message(), situation, START) == Wait(Reason.GROUP_WAIT, START + MINUTE / 2)


def test_a_group_that_was_sent_rests_for_its_interval() -> None:
    situation = Situation(alert=ALERT, grouping=GROUPING, group=GroupState(None, START - MINUTE))
    assert judge(message(), situation, START) == Wait(Reason.GROUP_WAIT, START + 9 * MINUTE)


def test_what_its_channel_refused_waits_for_no_group() -> None:
    situation = Situation(alert=ALERT, grouping=GROUPING, group=GroupState(None, START))
    assert judge(message(attempts=1), situation, START) == Send()


def test_a_rate_is_full_until_the_oldest_that_counts_is_too_old() -> None:
    rate = Rate(2, HOUR)
    assert rate_limited(rate, (), START) is None
    assert rate_limited(rate, (START,), START) is None
    sent = (START, START - MINUTE)
    assert rate_limited(rate, sent, START) == START + HOUR - MINUTE
    assert rate_limited(rate, sent, START + HOUR - MINUTE) is None


# -- the order of the stages --------------------------------------------------------------------------------
def test_what_is_told_of_a_wait_is_the_strongest_reason() -> None:
    everything = Situation(
        settings(quiet_hours=QUIET, maintenance=OPEN, inhibit=EXPLAINED),
        ALERT,
        silences=(silence(),),
        inhibitors=(DOWN,),
        grouping=GROUPING,
    )

    def reason(situation: Situation) -> Reason:
        verdict = judge(message(), situation, START)
        assert isinstance(verdict, Wait)
        return verdict.reason

    assert reason(everything) is Reason.SILENCED
    less = replace(everything, silences=())
    assert reason(less) is Reason.INHIBITED
    less = replace(less, inhibitors=())
    assert reason(less) is Reason.MAINTENANCE
    less = replace(less, settings=NIGHT)
    assert reason(less) is Reason.QUIET_HOURS
    assert reason(replace(less, settings=settings())) is Reason.GROUP_WAIT


@given(
    telling=st.sampled_from(Telling),
    state=st.sampled_from(AlertState),
    why=st.sampled_from(["", *(reason.value for reason in Reason)]),
    silenced=st.booleans(),
    outage=st.booleans(),
    quiet=st.booleans(),
    grouped=st.booleans(),
    attempts=st.integers(0, 2),
)
def test_a_firing_alert_is_never_suppressed_and_every_wait_ends(
    telling: Telling,
    state: AlertState,
    why: str,
    silenced: bool,
    outage: bool,
    quiet: bool,
    grouped: bool,
    attempts: int,
) -> None:
    situation = Situation(
        NIGHT if quiet else settings(),
        replace(ALERT, state=state),
        (told(state=MessageState.DELIVERED, number=0),),
        (silence(),) if silenced else (),
        outages=frozenset({"north"}) if outage else frozenset(),
        grouping=GROUPING if grouped else None,
    )
    one = replace(message(telling, 5), why=why, attempts=attempts)
    verdict = judge(one, situation, START)
    if isinstance(verdict, Wait):
        assert verdict.until > START
    if isinstance(verdict, Suppress):
        assert state is not AlertState.FIRING
        assert telling is not RESOLVED
    if telling is RESOLVED:
        assert not isinstance(verdict, Suppress), "the end of what was told is told"
