"""The ledger's side of the stamp: moved after every transaction that was recorded, never past a finding."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from smm_rules.facts import Entity
from smm_rules.ledger.audit import Head
from smm_rules.ledger.holds import Finding, HoldReason
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.sql import holds
from smm_rules.ledger.sql.query import Connection
from smm_rules.ledger.sql.transactions import Transact
from smm_rules.ledger.stamp import Stamp, StampFile, StampUnreadable
from smm_rules.observe import get_logger

log = get_logger(__name__)

#: What says of a shared ledger that this machine is new to it, and no more.
OF_A_NEW_MACHINE = frozenset({HoldReason.STAMP_MISSING, HoldReason.STAMP_COPIED})


@dataclass(slots=True)
class Stamping:
    """Keeps the stamp beside one opened ledger. Used on the connection's thread alone.

    `finding` says why the stamp is left alone: it and the ledger don't belong together. `trouble` says why it
    couldn't be read or written when that was last tried, and is empty when it could: nothing is sent
    meanwhile, for a claim has to be stamped.

    A `shared` ledger is worked on from several machines, each of which has a stamp of its own: one that is
    missing or was copied says nothing then but that this machine is new.
    """

    file: StampFile
    transact: Transact
    shared: bool = False
    finding: Finding | None = None
    trouble: str = ""
    _compared: bool = False
    _stamped: int = -1
    _orders: dict[str, str] = field(default_factory=dict)

    def open(self, connection: Connection) -> None:
        """Compare for the first time. A stamp that can't be looked at keeps no ledger closed."""
        try:
            self.check(connection)
        except LedgerError as error:
            self._note(str(error))

    def check(self, connection: Connection) -> Finding | None:
        """Compare the ledger with its stamp; begin one beside a ledger that never had any.

        The stamp is read first: other processes move it, but never past what they have committed.
        """
        stamp = self._read()
        self.finding = holds.compare(connection, stamp)
        if self.finding is not None and stamp is None:
            # Another process may have made ledger and stamp since the file was looked for.
            stamp = self._read()
            self.finding = holds.compare(connection, stamp)
        if self.shared and self.finding is not None and self.finding.reason in OF_A_NEW_MACHINE:
            self.file.begin(holds.stamp_of(connection))
            self.finding = None
        if self.finding is None and not holds.is_stamped(connection):
            if stamp is None:
                self.file.begin(holds.stamp_of(connection))
            self.transact(connection, holds.note_stamped)
        self._compared = True
        return self.finding

    def doubt(self) -> None:
        """Compare again before the next use: the ledger may be another one by now."""
        self._compared, self._stamped = False, -1

    @property
    def is_in_step(self) -> bool:
        """Whether the ledger was compared with its stamp, and nothing was found."""
        return self._compared and self.finding is None

    def recheck(self, connection: Connection) -> Finding | None:
        """Look again at what was found: the operator may have confirmed it meanwhile.

        `LedgerError` while the stamp has never been compared because it can't be looked at.
        """
        return None if self.is_in_step else self.check(connection)

    def found(self, connection: Connection) -> Finding | None:
        """What `recheck` finds; None as well while nothing can be found, which is trouble."""
        try:
            return self.recheck(connection)
        except LedgerError as error:
            self._note(str(error))
            return None

    def heads(self, _: Connection) -> tuple[Head, ...]:
        """The head that the stamp knows, where it belongs to this ledger."""
        stamp = self._read() if self.finding is None else None
        return (stamp.head,) if isinstance(stamp, Stamp) and stamp.head.id else ()

    def made(self, order: Entity) -> None:
        """An order that a panel confirmed: the next stamp tells of it."""
        self._orders[order.panel] = order.id

    def follow(self, connection: Connection) -> None:
        """Move the stamp to where the ledger is. A failure is trouble: the next claim will not go out.

        Trouble is over only once the stamp is durable where it belongs, as a claim needs it.
        """
        try:
            self._move(connection, claims=0, durable=bool(self.trouble))
        except LedgerError as error:
            self._note(str(error))
        else:
            self._note("")

    def stamp_claim(self, connection: Connection) -> None:
        """Move the stamp durably, before the claimed request leaves. `LedgerError` when it can't be done."""
        try:
            self._move(connection, claims=1, durable=True)
        except LedgerError as error:
            self._note(str(error))
            raise
        if self.finding is not None:
            raise LedgerError(f"{self.finding.reason.sentence} Nothing is sent before you have confirmed it.")

    def _note(self, trouble: str) -> None:
        """Log the beginning and the end of trouble, not every time it goes on."""
        if trouble and not self.trouble:
            log.error("ledger.stamp_failed", error=trouble)
        elif self.trouble and not trouble:
            log.info("ledger.stamp_recovered")
        self.trouble = trouble

    def begin(self, connection: Connection) -> None:
        """The operator takes the ledger for the right one: the stamp begins anew at where it is."""
        self.file.begin(holds.stamp_of(connection))
        self.transact(connection, holds.note_stamped)
        self.finding, self._compared = None, True
        self._note("")

    def _move(self, connection: Connection, *, claims: int, durable: bool) -> None:
        if self.recheck(connection) is not None:
            return
        stamp, on_hold = holds.stamp_and_hold(connection)
        if on_hold or (stamp.head.id == self._stamped and not durable):
            return  # on hold, what the stamp knew stays until the operator has confirmed
        self.file.move(replace(stamp, orders=dict(self._orders), claims=claims), durable=durable)
        self._stamped = stamp.head.id
        self._orders.clear()

    def _read(self) -> Stamp | StampUnreadable | None:
        try:
            return self.file.read()
        except StampUnreadable as error:
            return error
