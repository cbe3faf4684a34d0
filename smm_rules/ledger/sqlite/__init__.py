"""The SQLite back end of the ledger."""

from smm_rules.ledger.sqlite.connection import Description, wal_is_safe
from smm_rules.ledger.sqlite.ledger import SqliteLedger

__all__ = ["Description", "SqliteLedger", "wal_is_safe"]
