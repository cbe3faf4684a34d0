"""Passwords as scrypt hashes in PHC's form: `$scrypt$ln=15,r=8,p=1$SALT$HASH`, base64 without padding."""

from __future__ import annotations

import hashlib
import hmac
import os
from base64 import b64decode, b64encode

#: 32 MiB and about a tenth of a second for each try (OWASP's second choice; RFC 7914).
_LOG_N, _R, _P = 15, 8, 1
_SALT_BYTES, _HASH_BYTES = 16, 32
_MOST_MEMORY = 1 << 30
SHORTEST = 12
#: Longer ones are refused before they are hashed.
LONGEST = 1024


def hash_password(password: str) -> str:
    """A new hash of `password`; `ValueError` says why it is too weak or too long."""
    if len(password) < SHORTEST:
        raise ValueError(f"the password needs at least {SHORTEST} characters")
    if len(password) > LONGEST:
        raise ValueError(f"the password has more than {LONGEST} characters")
    salt = os.urandom(_SALT_BYTES)
    digest = _digest(password, salt, _LOG_N, _R, _P, _HASH_BYTES)
    return f"$scrypt$ln={_LOG_N},r={_R},p={_P}${_text(salt)}${_text(digest)}"


def matches(password: str, stored: str) -> bool:
    """Whether `stored` is a hash of `password`. Takes as long for a wrong one; `ValueError` for no hash."""
    try:
        _, name, costs, salt, digest = stored.split("$")
        given = dict(part.split("=") for part in costs.split(","))
        log_n, r, p = (int(given[key]) for key in ("ln", "r", "p"))
        expected, salted = _bytes(digest), _bytes(salt)
    except (ValueError, KeyError):
        raise ValueError("it is no hash that `smm-rules web password` wrote") from None
    if name != "scrypt":
        raise ValueError(f"it is a hash of the kind {name}, not scrypt")
    found = _digest(password[: LONGEST + 1], salted, log_n, r, p, len(expected))
    return hmac.compare_digest(found, expected) and len(password) <= LONGEST


def _digest(password: str, salt: bytes, log_n: int, r: int, p: int, length: int) -> bytes:
    secret = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(secret, salt=salt, n=1 << log_n, r=r, p=p, maxmem=_MOST_MEMORY, dklen=length)


def _text(data: bytes) -> str:
    return b64encode(data).decode("ascii").rstrip("=")


def _bytes(text: str) -> bytes:
    return b64decode(text + "=" * (-len(text) % 4), validate=True)
