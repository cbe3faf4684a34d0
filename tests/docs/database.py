"""What stands for the server of the pages that tell of PostgreSQL: that of the tests."""

from __future__ import annotations

from tests.docs.worlds import Standing
from tests.postgres.server import Server, binaries

#: As the pages write it.
ADDRESS = "postgresql://smm-rules@db.example/smm-rules?sslmode=verify-full"
NAME = "smm-rules"


def standing(server: Server) -> Standing:
    """The server's address for that of the pages, and PostgreSQL's own programs, which ask its superuser."""
    return Standing(
        {ADDRESS: server.url(NAME)},
        {"PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGUSER": "postgres"},
        binaries(),
    )
