"""Why an action is on the panel that it is on, in words: every candidate, and what was made of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from smm_rules.actions.failover import choice_of
from smm_rules.engine.choosing import Choice, Considered, Fitness, Way
from smm_rules.ledger.records import Intent

_WAYS = {
    Way.CHEAPEST: "the cheapest of group {group}",
    Way.NEXT: "the next of group {group}",
    Way.NAMED: "named by the rule; its service is that of group {group}",
}


def choice_in_words(choice: Choice | None) -> dict[str, str]:
    """The way it was chosen, then each candidate with its price and why it was taken or not.

    Empty where nothing was chosen.
    """
    if choice is None:
        return {}
    words = {"chosen": _way(choice), "instead of": choice.after}
    if choice.chosen is None:
        words["none because"] = choice.why
    words |= {str(one.member): _one(one, choice) for one in choice.considered}
    return {name: text for name, text in words.items() if text}


def _way(choice: Choice) -> str:
    if not choice.group:
        return f"by {choice.way}"
    unit = f", compared in {choice.unit}" if choice.unit else ""
    return _WAYS[choice.way].format(group=choice.group) + unit


def _one(one: Considered, choice: Choice) -> str:
    taken = one.member == choice.chosen
    if one.fitness is Fitness.FITS:
        standing = "taken" if taken else "not taken: " + _outdone(choice)
    else:
        standing = f"taken, although {one.why}" if taken else f"not taken: {one.why}"
    price = _price(one, choice)
    return f"{standing}; {price}" if price else standing


def _outdone(choice: Choice) -> str:
    return "another is cheaper" if choice.way is Way.CHEAPEST else "another comes before it"


def _price(one: Considered, choice: Choice) -> str:
    if one.rate is None:
        return ""
    currency = one.currency or ""
    text = f"{one.rate:f} {currency}".rstrip() + " for 1000"
    if one.compared is not None and choice.unit and currency.upper() != choice.unit.upper():
        text += f" ({one.compared.normalize():f} {choice.unit})"
    return text


def choice_notes(intents: Iterable[Intent]) -> Iterator[str]:
    """For an explanation: of each action whose panel was chosen, which one and what kept others away."""
    for intent in intents:
        choice = choice_of(intent)
        if choice is None or choice.chosen is None:
            continue
        kept = [f"{one.member} ({one.why})" for one in choice.considered if one.why]
        instead = f", after {choice.after}" if choice.after else ""
        others = f"; kept away: {', '.join(kept)}" if kept else ""
        yield f"intent {intent.id} is on {choice.chosen}, {_way(choice)}{instead}{others}"
