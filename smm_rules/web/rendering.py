"""Pages from templates. Whatever came from outside is escaped, and neutral: nothing in it can act or hide."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from hashlib import sha256
from importlib import resources
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from smm_rules.charts.neutral import neutral
from smm_rules.explanation.words import sentence
from smm_rules.facts import Entity, EntityKind, Unknown, format_duration
from smm_rules.notify import pages
from smm_rules.standing.times import ago, moment, until

_LONGEST_NAME = 40


def shown(value: object) -> str:
    """A fact as people read it."""
    if value is None or isinstance(value, Unknown):
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, Enum):
        return in_words(value)
    return str(value)


def in_words(value: object) -> str:
    """A name of ours without underscores: `not sent`."""
    return str(value.value if isinstance(value, Enum) else value).replace("_", " ")


def coded(text: object) -> Markup:
    """A sentence of ours with what stands in backquotes as code."""
    parts = str(neutral(text)).split("`")
    if len(parts) % 2 == 0:
        return escape("`".join(parts))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part)
        for number, part in enumerate(parts)
    )


def first_line(text: str) -> str:
    """The first line of a message, for a list."""
    return text.strip().partition("\n")[0]


def money(amount: Decimal | None, currency: str | None = None) -> str:
    """`12.50 USD`; a dash where there is none."""
    return "–" if amount is None else f"{amount:,f} {currency or ''}".rstrip()


def count(number: int, noun: str = "") -> str:
    """`1 order`, `2,000 orders`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}" if noun else f"{number:,}"


def entity_path(entity: Entity) -> str:
    """The page of a watched thing, below the root."""
    return pages.about(entity)


def entity_name(entity: Entity) -> str:
    """`main/123` for an order, `refill main/5`, `balance of main`."""
    if entity.kind is EntityKind.ORDER:
        return _shortened(f"{entity.panel}/{entity.id}")
    if entity.kind in (EntityKind.BALANCE, EntityKind.PANEL):
        return f"{entity.kind.value} of {entity.panel}" if entity.kind is EntityKind.BALANCE else entity.panel
    return _shortened(f"{entity.kind.value} {entity.panel}/{entity.id}")


def _shortened(text: str) -> str:
    """Panels' IDs are short; one that isn't needn't make a table wide."""
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"


def query(**values: object) -> str:
    """`?state=held&before=12`, what is None or empty left out; empty when nothing is left."""
    given = {name: str(value) for name, value in values.items() if value not in (None, "")}
    return f"?{urlencode(given)}" if given else ""


@cache
def style_version() -> str:
    """What tells one release's style from the next, for browsers that keep it."""
    return sha256(static_file("style.css")).hexdigest()[:12]


@cache
def static_file(name: str) -> bytes:
    """A file that the package brings."""
    return (resources.files("smm_rules.web") / "static" / name).read_bytes()


@cache
def environment() -> Environment:
    """The templates and what they may use."""
    found = Environment(
        loader=PackageLoader("smm_rules.web"),
        autoescape=True,
        finalize=neutral,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    found.filters.update(
        shown=shown,
        words=in_words,
        moment=moment,
        count=count,
        coded=coded,
        first_line=first_line,
        sentence=sentence,
        duration=format_duration,
        entity_path=entity_path,
        entity_name=entity_name,
        segment=lambda text: quote(str(text), safe=""),
    )
    found.globals.update(money=money, ago=ago, until=until, query=query, style_version=style_version)
    return found


def render(template: str, values: Mapping[str, object]) -> str:
    """The template's text."""
    return environment().get_template(template).render(values)
