"""The schema's steps in PostgreSQL, numbered like SQLite's; see `ledger.postgres.schema`."""
