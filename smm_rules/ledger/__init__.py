"""The ledger: what was seen, decided, sent and told, durably."""
