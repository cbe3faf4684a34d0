"""How many there are of what is too many to be counted each time: kept in the transaction that changes it.

Only transactions that decide change a count, so those of a shared ledger don't wait for each other here.
"""

from __future__ import annotations

from smm_rules.ledger.sql.query import Connection, cell, run

_ADD = """
  INSERT INTO counts (name, amount) VALUES (?, ?)
  ON CONFLICT (name) DO UPDATE SET amount = counts.amount + excluded.amount
"""
_AMOUNT = "SELECT amount FROM counts WHERE name = ?"
_ORDERS = "orders"


def watch(connection: Connection, orders: int) -> None:
    """This many orders more are watched; fewer where it is negative."""
    if orders:
        run(connection, _ADD, (_ORDERS, orders))


def watched_orders(connection: Connection) -> int:
    """How many orders are watched."""
    amount: int = cell(connection, _AMOUNT, (_ORDERS,)) or 0
    return amount
