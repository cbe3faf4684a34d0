"""The PostgreSQL back end of the ledger; needs the extra `postgres`."""

from smm_rules.ledger.postgres.describing import Description
from smm_rules.ledger.postgres.ledger import PostgresLedger
from smm_rules.ledger.postgres.session import Access

__all__ = ["Access", "Description", "PostgresLedger"]
