"""What `doctor` tells of a ledger in PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass

from smm_rules.ledger.postgres.session import SCHEMA
from smm_rules.ledger.sql.query import Connection, cell


@dataclass(frozen=True, slots=True)
class Description:
    """`server` is its version, `size` that of all the ledger's tables and indexes in bytes."""

    address: str
    server: str
    schema: int
    size: int


def describe(connection: Connection, address: str) -> Description:
    """What is in the database at `address`, for a human."""
    size = """
      SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class
      WHERE relnamespace = to_regnamespace(?) AND relkind = 'r'
    """
    return Description(
        address=address,
        server=str(cell(connection, "SELECT current_setting('server_version')")),
        schema=int(cell(connection, "SELECT max(version) FROM schema_version")),
        size=int(cell(connection, size, (SCHEMA,))),
    )
