"""Proposals as lines of the mapping file, and such a file with more of them. What the user wrote stays."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from smm_rules.document import Document
from smm_rules.matching.file import LoadedMapping
from smm_rules.matching.names import words_of
from smm_rules.matching.offered import Offered
from smm_rules.matching.proposing import Proposal

HEAD = """\
# Services that are the same thing on several panels. Rules order again by it: reorder: {panel: cheapest}.
#
# What is `proposed` has no effect. Look at each, and write as its state
#   confirmed  these are equal; order from any of them
#   refused    they are not; it isn't proposed again
# The order of the panels is that of `panel: next`. smm-rules services match adds what is new at the end.
services:
"""
_LONGEST_NAME = 40
_LONGEST_TEXT = 90
#: What YAML doesn't take for text.
_NO_TEXT = frozenset({"true", "false", "null"})
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*", re.ASCII)


def new_file(proposals: Iterable[Proposal], currencies: Mapping[str, str | None]) -> str:
    """The text of a mapping file that has only proposals."""
    return HEAD + _entries(proposals, currencies, frozenset(), "")


def with_more(
    known: LoadedMapping, proposals: Iterable[Proposal], currencies: Mapping[str, str | None]
) -> str | None:
    """The file's text with `proposals` at its end; None where its list isn't written one entry a line."""
    document = known.document
    names = {entry.name.casefold() for entry in known.spec.services if entry.name is not None}
    indentation = _indentation(document, len(known.spec.services))
    if indentation is None:
        return None
    text = document.text if document.text.endswith("\n") else document.text + "\n"
    return text + _entries(proposals, currencies, names, indentation)


def _indentation(document: Document, entries: int) -> str | None:
    """The spaces before the dashes of the list, when it is the last thing in the file."""
    if not entries:
        return None
    last = document.position(("services", entries - 1)).line
    lines = document.text.splitlines()
    dash = re.match(r"( *)- ", lines[last - 1])
    following = [line for line in lines[last:] if line.strip() and not line.lstrip().startswith("#")]
    if dash is None or any(not line.startswith(" ") for line in following):
        return None
    return dash[1]


def _entries(
    proposals: Iterable[Proposal],
    currencies: Mapping[str, str | None],
    taken: Collection[str],
    indentation: str,
) -> str:
    names = set(taken)
    lines: list[str] = []
    for proposal in proposals:
        name = _name(proposal, names)
        names.add(name.casefold())
        lines += ["", *_entry(proposal, name, currencies)]
    return "".join(f"{indentation}{line}\n" if line else "\n" for line in lines)


def _entry(proposal: Proposal, name: str, currencies: Mapping[str, str | None]) -> list[str]:
    services = ", ".join(f"{_key(row)}: {_value(row)}" for row in proposal.services)
    head = f"joins: {proposal.joins}" if proposal.joins is not None else f"name: {name}"
    return [
        f"# {proposal.score:.2f}: {'; '.join(proposal.reasons)}",
        *(f"#   {_described(row, currencies)}" for row in proposal.services),
        f"- {head}",
        "  state: proposed",
        f"  services: {{{services}}}",
    ]


def _described(row: Offered, currencies: Mapping[str, str | None]) -> str:
    currency = currencies.get(row.member.panel) or ""
    price = "price unknown" if row.rate is None else f"{row.rate:f} {currency}".rstrip() + " for 1000"
    flags = [flag for flag in ("refill", "cancel") if getattr(row, flag) is True]
    bounds = f"{row.least if row.least is not None else '?'} to {row.most if row.most is not None else '?'}"
    return _one_line(f"{row.member}: {row.name}; {price}; {bounds}{''.join(f'; {flag}' for flag in flags)}")


def _one_line(text: str) -> str:
    """A panel's text as a comment: no line end or control character of it may become part of the file."""
    plain = "".join(each if each.isprintable() else " " for each in text)
    return plain if len(plain) <= _LONGEST_TEXT * 2 else plain[: _LONGEST_TEXT * 2 - 1] + "…"


def _key(row: Offered) -> str:
    return row.member.panel


def _value(row: Offered) -> str:
    """A service's ID: a plain number, or text in quotes, for `1e3` and `0x1F` would be read as numbers."""
    service = row.member.service
    return service if re.fullmatch(r"[1-9][0-9]{0,17}", service) else f'"{service}"'


def _name(proposal: Proposal, taken: Collection[str]) -> str:
    """A short name of the words that all have in common, unlike any that is taken."""
    common = frozenset.intersection(*(words_of(row.name) for row in proposal.services))
    first = proposal.services[0].name.casefold()
    plain = [word for word in common if _PLAIN.fullmatch(word)]
    words = sorted(plain, key=lambda word: (first.find(word) if word in first else len(first), word))
    stem = ""
    for word in words:
        if len(stem) + len(word) + 1 > _LONGEST_NAME:
            break
        stem = f"{stem}-{word}" if stem else word
    if stem and (not stem[0].isalpha() or stem in _NO_TEXT):
        stem = f"service-{stem}"
    stem = stem or f"service-{proposal.services[0].member.service}".replace(".", "-").replace(":", "-")
    name, number = stem, 1
    while name.casefold() in taken:
        number += 1
        name = f"{stem}-{number}"
    return name
