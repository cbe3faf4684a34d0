"""What changed in panels' catalogues."""

from __future__ import annotations

from datetime import datetime

from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.codec import decode_facts, from_micros, to_micros
from smm_rules.ledger.figures import KeptChange
from smm_rules.ledger.sql.query import Connection, rows

#: What a panel's first catalogue holds is no change: it is left out before anything is counted.
_CHANGES = """
  SELECT found.panel, found.name, found.at, found.facts, found.first_seen_at, (
    SELECT earlier.facts FROM history earlier
    WHERE earlier.entity = found.entity AND earlier.at < found.at ORDER BY earlier.at DESC LIMIT 1
  )
  FROM (
    SELECT e.panel AS panel, e.name AS name, h.entity AS entity, h.at AS at, h.facts AS facts,
      e.first_seen_at AS first_seen_at
    FROM (
      SELECT panel, min(first_seen_at) AS began FROM entities
      WHERE kind = 'service' AND (?1 IS NULL OR panel = ?1) GROUP BY panel
    ) p
    JOIN entities e ON e.kind = 'service' AND e.panel = p.panel
    JOIN history h ON h.entity = e.id
    WHERE h.at > ?2 AND h.at <= ?3 AND h.at > p.began
    ORDER BY h.at DESC, e.panel, e.name LIMIT ?4
  ) found
  ORDER BY found.at DESC, found.panel, found.name
"""


def changes(
    connection: Connection, panel: str | None, since: datetime, until: datetime, limit: int
) -> tuple[KeptChange, ...]:
    """The newest first; those of one look in the order of their panels' names and IDs."""
    found = rows(connection, _CHANGES, (panel, to_micros(since), to_micros(until), limit))
    return tuple(
        KeptChange(
            Entity(EntityKind.SERVICE, of, name),
            from_micros(at),
            None if before is None else decode_facts(before),
            decode_facts(after),
            first_seen_at == at,
        )
        for of, name, at, after, first_seen_at, before in found
    )
