"""What tests of every part may ask for."""

from tests.postgres.fixtures import database, postgres, postgres_of_its_own

__all__ = ["database", "postgres", "postgres_of_its_own"]
