"""A view as lines of a screen: what needs the operator first; what doesn't fit is counted, not just cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from decimal import Decimal

from rich.text import Text

from smm_rules.cli.top.view import PanelView, View
from smm_rules.facts import format_duration
from smm_rules.ledger.alerts import AlertState
from smm_rules.ledger.records import Intent, IntentState, MessageState
from smm_rules.standing.overview import DaemonState
from smm_rules.standing.stops import in_words
from smm_rules.standing.times import ago

#: A panel's order that waits this much longer than it should is worth a colour.
_LATE = timedelta(minutes=15)
_BAR = 10
_STATES = (
    IntentState.UNKNOWN,
    IntentState.HELD,
    IntentState.SENDING,
    IntentState.PLANNED,
    IntentState.CONFIRMED,
    IntentState.REJECTED,
    IntentState.NOT_SENT,
    IntentState.DENIED,
)
_STATE_STYLES = {IntentState.UNKNOWN: "bold red", IntentState.HELD: "yellow"}
_DAEMON = {
    DaemonState.RUNNING: ("running", "green"),
    DaemonState.STUCK: ("stuck", "bold red"),
    DaemonState.STOPPED: ("not running", "yellow"),
    DaemonState.GONE: ("not running, and it didn't end in order", "bold red"),
    DaemonState.NEVER_RAN: ("never ran", "yellow"),
}
#: What each section keeps on a low screen: its title, a row, and how many more there are.
_LEAST_LINES = 3


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and its rows. `total` may be more than there are rows."""

    title: Text
    rows: Sequence[Text]
    total: int

    def lines(self, room: int) -> list[Text]:
        """At most `room` lines, the last of which counts what is left out."""
        if not self.rows or room < 2:
            return [self.title][:room]
        shown = len(self.rows) if len(self.rows) < room and self.total <= len(self.rows) else room - 2
        shown = min(max(shown, 0), len(self.rows))
        left = self.total - shown
        rest = [Text(f"  … and {left:,} more", style="dim")] if left else []
        return [self.title, *self.rows[:shown], *rest][:room]


def frame(view: View, width: int, height: int) -> list[Text]:
    """At most `height` lines, each at most `width` columns wide."""
    fixed = [_header(view, width), *_alarms(view)]
    sections = list(_sections(view, width))
    room = max(height - len(fixed), 0)
    lines = [*fixed, *_fitted(sections, room)][:height]
    for line in lines:
        line.no_wrap = True
        line.truncate(width, overflow="ellipsis")
    return lines


def _fitted(sections: Sequence[Section], room: int) -> list[Text]:
    """The sections in order, each given what it needs while those after it keep a few lines of their own."""
    lines: list[Text] = []
    for place, section in enumerate(sections):
        after = sum(_least(one) for one in sections[place + 1 :])
        lines += section.lines(max(room - len(lines) - after, _least(section)))
    return lines[:room]


def _least(section: Section) -> int:
    return min(1 + len(section.rows), _LEAST_LINES)


def _sections(view: View, width: int) -> Iterator[Section]:
    yield _intents(view)
    yield _panels(view, width)
    yield _orders(view)
    if view.budgets:
        yield _budgets(view)
    yield _rules(view)
    yield _alerts(view)
    yield _messages(view)


# -- what is always there -------------------------------------------------------------------------------
def _header(view: View, width: int) -> Text:
    daemon = view.standing.daemon
    line = Text("smm-rules ", style="bold")
    line.append(*_DAEMON[daemon.state])
    if daemon.mode and daemon.mode != "live":
        line.append(f" {daemon.mode}", style="yellow")
    if daemon.process:
        line.append(f"  process {daemon.process}", style="default")
    if daemon.started_at is not None and daemon.process:
        line.append(f"  up {ago(daemon.started_at, view.at)}", style="default")
    if daemon.beat_at is not None:
        line.append(f"  heartbeat {ago(daemon.beat_at, view.at)} ago", style="default")
    clock = view.at.astimezone(UTC).strftime("%H:%M:%SZ")
    gap = width - line.cell_len - len(clock)
    return line.append(f"{' ' * gap}{clock}", style="dim") if gap > 1 else line


def _alarms(view: View) -> Iterator[Text]:
    standing = view.standing
    if standing.held_back is not None:
        yield _alarm("ON HOLD, nothing is sent", f"{standing.held_back.sentence} smm-rules hold show")
    if standing.stamp_trouble:
        yield _alarm("NOTHING IS SENT", standing.stamp_trouble)
    for stop in standing.stops:
        yield _alarm("STOPPED", in_words(stop))


def _alarm(title: str, words: str) -> Text:
    return Text.assemble((f"{title} ", "bold white on red"), " ", _clean(words))


# -- sections -------------------------------------------------------------------------------------------
def _title(name: str, words: str = "") -> Text:
    return Text.assemble((name, "bold cyan"), "  ", words)


def _intents(view: View) -> Section:
    standing = view.standing
    title = _title("ACTIONS")
    told = [state for state in _STATES if standing.totals.intents.get(state)]
    for state in told:
        count = standing.totals.intents[state]
        title.append(f"{count:,} {_state(state)}  ", style=_STATE_STYLES.get(state, "default"))
    if not told:
        title.append("none yet")
    if standing.unknown or standing.held:
        title.append("smm-rules intents show ID", style="dim")
    rows = [_intent(one, "IN DOUBT", "bold red", view) for one in standing.unknown]
    rows += [_intent(one, "held", "yellow", view) for one in standing.held]
    rows += [
        Text.assemble(("  waits ", "yellow"), f"{one.intent.id} behind {one.other.id}, which is stopped")
        for one in standing.behind
    ]
    waiting = sum(standing.totals.intents.get(state, 0) for state in (IntentState.UNKNOWN, IntentState.HELD))
    return Section(title, rows, max(waiting + len(standing.behind), len(rows)))


def _state(state: IntentState) -> str:
    return "in doubt" if state is IntentState.UNKNOWN else state.value.replace("_", " ")


def _intent(intent: Intent, label: str, style: str, view: View) -> Text:
    cost = "" if intent.reserved is None else f"  {intent.reserved:f} {intent.currency or ''}".rstrip()
    since = intent.claimed_at or intent.planned_at
    return Text.assemble(
        (f"  {label} ", style),
        (f"{intent.id}", "bold"),
        _clean(f" {intent.kind} {intent.entity} by {intent.rule}{cost}  {ago(since, view.at)}  "),
        (_clean(intent.message or intent.reason), "dim"),
    )


def _panels(view: View, width: int) -> Section:
    narrow = width < 80
    name = max((len(panel.standing.panel) for panel in view.panels), default=0)
    name = min(name, 20 if not narrow else 12)
    rows = [_panel(panel, name, narrow, view) for panel in view.panels]
    return Section(_title("PANELS", str(len(rows))), rows, len(rows))


def _panel(panel: PanelView, width: int, narrow: bool, view: View) -> Text:
    standing = panel.standing
    line = Text(f"  {_clean(standing.panel)[:width]:<{width}}  ")
    if standing.reachable is None:
        line.append("not known", style="dim")
    elif standing.reachable:
        line.append("ok       ", style="green")
    else:
        since = f" {ago(standing.failing_since, view.at)}" if standing.failing_since else ""
        line.append(f"failing{since}", style="bold red")
    money = (
        "no balance"
        if standing.balance is None
        else f"{standing.balance:f} {standing.currency or ''}".rstrip()
    )
    line.append(f"  {_clean(money)}")
    if not narrow and standing.last_answer_at is not None:
        line.append(f"  answered {ago(standing.last_answer_at, view.at)} ago")
    late = standing.late(view.at)
    line.append(f"  late {_rough(late)}", style="yellow" if late > _LATE else "default")
    if panel.rate is not None:
        share = Decimal(panel.rate) / panel.allowed
        line.append(f"  {panel.rate}/{panel.allowed} a minute ", style="default")
        if not narrow:
            line.append_text(_bar(share))
    if standing.last_error and not standing.reachable:
        line.append(f"  {_clean(standing.last_error)}", style="dim")
    return line


def _orders(view: View) -> Section:
    totals = view.standing.totals
    late = view.standing.most_overdue
    words = f"{totals.orders:,} watched, {totals.due:,} due"
    if late is not None:
        words += f", the most overdue {_rough(view.at - late)} late"
    reserved = [
        f"{amount:f} {currency}".rstrip() for currency, amount in sorted(totals.reserved.items()) if amount
    ]
    if reserved:
        words += f"; reserved {', '.join(reserved)}"
    return Section(_title("ORDERS", words), (), 0)


def _budgets(view: View) -> Section:
    rows = []
    for one in view.budgets:
        unit = "actions" if one.currency is None else one.currency
        used = f"{one.used:f} of {one.allowed:f} {unit}".rstrip()
        rows.append(Text.assemble("  ", _bar(one.share), _clean(f" {one.title}: {used}")))
    return Section(_title("BUDGETS"), rows, len(rows))


def _rules(view: View) -> Section:
    rows = [
        Text.assemble(
            f"  {rule.in_hour:>6,} an hour {rule.in_day:>7,} a day  ",
            (_clean(rule.name), "bold"),
            (f"  {ago(rule.last_at, view.at)} ago", "dim"),
        )
        for rule in view.rules
    ]
    fired = sum(rule.in_hour for rule in view.rules)
    times = "firing" if fired == 1 else "firings"
    words = f"{fired:,} {times} in the last hour" if rows else "none fired in the last day"
    return Section(_title("RULES", words), rows, len(rows))


def _alerts(view: View) -> Section:
    rows = []
    for alert in view.alerts:
        known = alert.state is AlertState.ACKNOWLEDGED
        state = f"acknowledged by {alert.acknowledged_by}" if known else "open"
        rows.append(
            Text.assemble(
                (f"  {alert.id} ", "bold"),
                _clean(f"{alert.rule} {alert.entity}  {ago(alert.fired_at, view.at)}  "),
                (_clean(state), "dim" if known else "yellow"),
            )
        )
    return Section(_title("ALERTS", f"{len(rows)} go on" if rows else "none"), rows, len(rows))


def _messages(view: View) -> Section:
    totals = view.standing.totals.messages
    pending, dead = totals.get(MessageState.PENDING, 0), totals.get(MessageState.DEAD, 0)
    title = _title("MESSAGES", f"{pending:,} to be delivered")
    if dead:
        title.append(f", {dead:,} dead", style="bold red")
    rows = [
        Text.assemble(
            ("  dead " if message.state is MessageState.DEAD else "  waits ", "red"),
            _clean(f"{message.channel or 'log'}: {message.title or message.body}  "),
            (_clean(message.last_error), "dim"),
        )
        for message in view.messages
    ]
    return Section(title, rows, max(pending + dead, len(rows)))


# -- pieces -----------------------------------------------------------------------------------------------
def _bar(share: Decimal) -> Text:
    filled = min(max(int(share * _BAR), 0), _BAR)
    style = "red" if share >= 1 else "yellow" if share >= Decimal("0.8") else "green"
    return Text.assemble(("█" * filled, style), ("░" * (_BAR - filled), "dim"))


def _rough(span: timedelta) -> str:
    return format_duration(timedelta(seconds=max(int(span.total_seconds()), 0)))


def _clean(text: str) -> str:
    """Text from outside on one line, without control characters."""
    return "".join(character if character.isprintable() else "·" for character in text)
