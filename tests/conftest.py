"""What tests of every part may ask for."""

from tests.postgres.fixtures import database, ledger_database, ledger_template, postgres, postgres_of_its_own

__all__ = ["database", "ledger_database", "ledger_template", "postgres", "postgres_of_its_own"]
