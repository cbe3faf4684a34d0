"""The statements of the ledger that every SQL back end shares."""
