"""An explanation as people read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from smm_rules.cli.memories import state_in_words
from smm_rules.cli.pairs import print_pairs
from smm_rules.cli.terminal import new_table, output, print_table, safe, seen_from_here
from smm_rules.document import Position
from smm_rules.engine.memory import BLANK
from smm_rules.explanation.model import Cause, ClauseOutcome, Explanation, Hold
from smm_rules.explanation.words import in_words, moment, roughly, sentence, span, with_stop
from smm_rules.facts import Unknown
from smm_rules.ledger.records import KeptTrace

_TRUTHS = {True: "[green]true[/]", False: "[red]false[/]", None: "[yellow]unknown[/]"}
_FIRED = frozenset(
    {
        Cause.FIRED,
        Cause.ACTION_WAITING,
        Cause.ACTION_HELD,
        Cause.ACTION_IN_DOUBT,
        Cause.ACTION_REFUSED,
        Cause.ACTION_NOT_SENT,
        Cause.ACTION_DENIED,
    }
)
_LAST_SHOWN = 5


def show(explanation: Explanation) -> None:
    """The cause first, then every clause, then what else there is."""
    console = output()
    fired = explanation.cause in _FIRED
    state = "fired" if fired else "does not fire" if not _is_past(explanation) else "did not fire"
    when = f" at {moment(explanation.at)}" if _is_past(explanation) else ""
    console.print(f"[bold]Rule {safe(explanation.rule.name)} {state} for {safe(explanation.entity)}{when}[/]")
    console.print(f"  {safe(sentence(explanation.summary))}")
    if explanation.change:
        console.print(f"  To change that: {safe(with_stop(explanation.change))}")
    _clauses("when", explanation.when)
    _clauses("until", explanation.until)
    pairs = dict(_pairs(explanation))
    if pairs:
        console.print("\n[bold]State[/]")
        print_pairs(pairs)
    if explanation.notes:
        console.print("\n[bold]Besides[/]")
        for note in explanation.notes:
            console.print(f"  {safe(sentence(note))}")
    _traces(explanation.records.traces)


def show_many(explanations: Sequence[Explanation]) -> None:
    """One line a rule: the main cause."""
    table = new_table("rule", "cause", "why")
    for one in explanations:
        table.add_row(safe(one.rule.name), one.cause.value.replace("_", " "), safe(one.summary))
    print_table(table)


def _is_past(explanation: Explanation) -> bool:
    return explanation.standing is not None and explanation.standing.past


def _clauses(title: str, clauses: Sequence[ClauseOutcome]) -> None:
    if not clauses:
        return
    console = output()
    console.print(f"\n[bold]{title}[/]")
    for clause in clauses:
        mark = _TRUTHS[clause.truth]
        pad = " " * (8 - len("unknown" if clause.truth is None else str(clause.truth)))
        console.print(f"  {mark}{pad}{safe(clause.text)}  [dim]{safe(_place(clause.position))}[/]")
        for line in _told(clause):
            console.print(f"          {safe(line)}")


def _place(position: Position) -> str:
    """Where a clause stands, from here where that is shorter."""
    return str(replace(position, file=seen_from_here(position.file)))


def _told(clause: ClauseOutcome) -> Iterator[str]:
    """What would make the clause true; else the facts it read, those not known with the reason."""
    if clause.truth is not True and clause.wanted:
        yield clause.wanted
    known = [fact for fact in clause.facts if not isinstance(fact.value, Unknown)]
    told = [f"{fact.name} is {in_words(fact.value)}" for fact in known]
    # A single fact is in the sentence above it already.
    if told and (clause.truth is True or len(clause.facts) > 1):
        yield ", ".join(told)


def _pairs(explanation: Explanation) -> Iterator[tuple[str, str]]:
    standing, memory = explanation.standing, explanation.records.memory
    if explanation.hold is not None:
        yield "for", _hold(explanation.hold, explanation)
    if memory is not None and standing is not None and standing.seen_at is not None:
        yield "the rule remembers", "nothing" if memory == BLANK else state_in_words(memory)
    if standing is not None and standing.seen_at is not None and not standing.past:
        yield "read", f"{moment(standing.seen_at)}, {span(explanation.at - standing.seen_at)} ago"
    for intent in explanation.records.intents[:_LAST_SHOWN]:
        why = intent.message or intent.reason
        yield f"intent {intent.id}", f"{intent.kind}, {intent.state}" + (f": {why}" if why else "")


def _hold(hold: Hold, explanation: Explanation) -> str:
    needed = roughly(hold.needed)
    if hold.since is None or hold.ends_at is None:
        return f"{needed}, not running"
    over = hold.ends_at <= explanation.at
    return f"{needed}, since {moment(hold.since)}, {'over' if over else 'ends'} {moment(hold.ends_at)}"


def _traces(traces: Sequence[KeptTrace]) -> None:
    if not traces:
        return
    output().print("\n[bold]What changed last[/]")
    table = new_table("  at", "came to", "on")
    for trace in traces[:_LAST_SHOWN]:
        known = [f"{name} {in_words(value)}" for name, value in sorted(trace.facts.items())]
        missing = [f"{name} unknown" for name in trace.missing]
        table.add_row(
            f"  {moment(trace.at)}", trace.reason.value.replace("_", " "), safe(", ".join(known + missing))
        )
    print_table(table)
