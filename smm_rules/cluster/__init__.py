"""Many workers on one PostgreSQL ledger: `smm-rules worker`, on any number of machines.

The rules, the engine, the looks and the executor are the daemon's. What is here makes them safe side by side:
leases with epochs, shared request budgets, who decides about a panel, which rules are in force, and the queue
(procrastinate) that hands out units of work. See docs/cluster.md.
"""
