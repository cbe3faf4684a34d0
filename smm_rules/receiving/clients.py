"""Who asks: programs by their tokens, compared in constant time."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from smm_rules.config.intake import SHORTEST_TOKEN, Permission, TokenSettings
from smm_rules.config.secrets import SecretUnavailable

_HOW = "Make one with: openssl rand -hex 32"
_SCHEME = "bearer"


@dataclass(frozen=True, slots=True)
class Client:
    """A program. Its keys belong to its name; `by` is how the ledger's record calls it."""

    name: str
    may: frozenset[Permission]

    @property
    def by(self) -> str:
        return f"http:{self.name}"


class Clients:
    """The programs that are known."""

    def __init__(self, tokens: Sequence[tuple[TokenSettings, str]]) -> None:
        """From each one's settings and its token. `SecretUnavailable` for a token that protects nothing."""
        self._known: list[tuple[bytes, Client]] = []
        for settings, token in tokens:
            if len(token) < SHORTEST_TOKEN:
                raise SecretUnavailable(
                    f"The token of {settings.name} in intake.http is shorter than {SHORTEST_TOKEN} "
                    f"characters. {_HOW}"
                )
            digest = _digest(token)
            if any(known == digest for known, _ in self._known):
                raise SecretUnavailable(
                    f"The token of {settings.name} in intake.http is given to another program, too. {_HOW}"
                )
            self._known.append((digest, Client(settings.name, frozenset(settings.may))))

    def find(self, authorization: str) -> Client | None:
        """Whose token an `Authorization` header carries. All are compared, whichever it is."""
        scheme, _, token = authorization.partition(" ")
        given = _digest(token.strip())
        found = None
        for digest, client in self._known:
            if hmac.compare_digest(digest, given):
                found = client
        return found if scheme.lower() == _SCHEME else None


def _digest(token: str) -> bytes:
    return sha256(token.encode(errors="surrogatepass")).digest()
