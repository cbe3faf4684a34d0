"""The record of decisions: who or what decided, on which facts, by which rule text, with which result.

Entries are only ever added, in the transaction that does what they tell of. Each carries a hash over the one
before it and itself, so that an entry altered, removed or put in between breaks the chain from there on:

    hash = SHA-256(hash of the entry before + "\\n" + JSON [id, at, kind, by, subject, data])

`at` is microseconds since 1970 UTC, `data` the entry's own JSON text as it is stored; the JSON list is ASCII
without spaces. The first entry follows `GENESIS`. Who can write to the file can write a whole new chain:
against that, note the last hash elsewhere (`smm-rules audit verify` prints it, the daily statement carries
it, and the stamp beside the ledger has it).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from smm_rules.facts import Entity

#: What the first entry follows.
GENESIS = "0" * 64


class AuditKind(StrEnum):
    """What an entry tells of."""

    FIRING = "firing"
    INTENT = "intent"
    TRANSITION = "transition"
    EVIDENCE = "evidence"
    RULES = "rules"
    RELOAD_REFUSED = "reload_refused"
    TRACK = "track"
    FORGET = "forget"
    PAUSE = "pause"
    BREAKER = "breaker"
    OUTBOX = "outbox"
    ALERT = "alert"
    SILENCE = "silence"
    BACKUP = "backup"
    RESTORE = "restore"
    MOVE = "move"
    HOLD = "hold"
    HOLD_CONFIRMED = "hold_confirmed"
    CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry. `by` is a rule, a process or `operator:NAME`, `subject` what it is about (empty for all).

    `data` is plain JSON: money as `{"$decimal": "1.50"}`, instants as `{"$at": microseconds}`, as everywhere
    in the ledger.
    """

    id: int
    at: datetime
    kind: str
    by: str
    subject: str
    data: Mapping[str, object]
    hash: str


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which entries are asked for; None and empty stand for all. `until` is not included."""

    since: datetime | None = None
    until: datetime | None = None
    kinds: tuple[str, ...] = ()
    entity: Entity | None = None
    rule: str | None = None
    intent: int | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a chain; `id` 0 and `GENESIS` where there is none."""

    id: int = 0
    hash: str = GENESIS

    def __str__(self) -> str:
        return f"{self.id}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """A head as `str` writes it; `ValueError` for anything else."""
        number, colon, digits = text.strip().partition(":")
        if not (
            colon and number.isdecimal() and len(digits) == 64 and set(digits) <= set("0123456789abcdef")
        ):
            raise ValueError(f"{text!r} is no head of a record; it looks like 12:6b86b2… with 64 digits")
        return cls(int(number), digits)


@dataclass(frozen=True, slots=True)
class AuditFault:
    """What is wrong with the chain, at the first entry at which it shows. `entry` is its ID."""

    entry: int
    what: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What a look through the whole record came to. `first` is the oldest entry kept, 0 if there is none."""

    entries: int
    first: int
    head: Head
    fault: AuditFault | None = None


@dataclass(frozen=True, slots=True)
class RuleText:
    """A rule in force: its name, its version (a hash over its meaning) and its text as written."""

    rule: str
    version: str
    text: str

    @property
    def digest(self) -> str:
        """SHA-256 of the text."""
        return sha256(self.text.encode(errors="replace")).hexdigest()


def digest(previous: str, entry_id: int, at: int, kind: str, by: str, subject: str, data: str) -> str:
    """The hash of an entry whose predecessor has the hash `previous`; the arguments are as stored."""
    told = json.dumps([entry_id, at, kind, by, subject, data], separators=(",", ":"))
    return sha256(f"{previous}\n{told}".encode("ascii")).hexdigest()
