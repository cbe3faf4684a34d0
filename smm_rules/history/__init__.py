"""What the ledger has kept over time: balances, and what panels offered at which price."""
