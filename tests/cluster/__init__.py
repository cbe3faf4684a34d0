"""Workers that share a ledger: their leases, budgets, turns, rules and queue on a real PostgreSQL."""
