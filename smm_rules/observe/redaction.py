"""Secrets kept out of whatever is written: logs, error texts, what the ledger notes of a failure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from threading import Lock
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

REDACTED = "[redacted]"

#: Words that make a field's value a secret wherever they stand in its name.
_SECRET_WORDS = frozenset({"token", "secret", "password", "passwd", "authorization", "apikey", "cookie"})
#: Names that are secret as a whole. `dedup_key` and the like are no secrets.
_SECRET_NAMES = frozenset({"key", "api_key", "x_api_key", "panel_key", "private_key", "secret_key"})
_WORD_BREAK = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z])(?=[A-Z])")

#: What looks like a secret inside running text although nobody registered it.
_TELLTALES = (
    re.compile(r"((?:^|[?&])(?:api_?)?(?:key|token|secret|password|passwd)=)[^&\s\"'<>]+", re.IGNORECASE),
    re.compile(
        r"""(["'](?:api_?)?(?:key|token|secret|password|passwd|authorization)["']\s*:\s*["'])[^"']+""",
        re.IGNORECASE,
    ),
    re.compile(r"(\b(?:bearer|basic)\s+)[A-Za-z0-9+/._~-]{8,}=*", re.IGNORECASE),
    re.compile(r"(://[^/\s:@\"']*:)[^/\s@\"']+(?=@)"),
)
#: The shortest part of a URL that is taken for a credential by itself.
_SHORTEST_URL_PART = 8


class Redactor:
    """Replaces registered secrets, and what looks like one, by `[redacted]`.

    A secret is found as it is and as URLs, form bodies, JSON and Python literals write it, in any case.
    Registering a URL registers its user name, password, long path segments and query values too, because
    libraries take URLs apart before they complain about them. Safe to use from several threads.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lock = Lock()
        self._writings: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.register(*secrets)

    def register(self, *secrets: str) -> None:
        """Never let these texts through from now on. Blank ones are ignored."""
        with self._lock:
            for secret in secrets:
                for part in _parts(secret):
                    self._writings.update(_writings(part))
            # The longest first, so that a secret inside another doesn't leave the rest of it standing.
            alternatives = sorted(self._writings, key=lambda writing: (-len(writing), writing))
            joined = "|".join(re.escape(writing) for writing in alternatives)
            self._pattern = re.compile(joined, re.IGNORECASE) if joined else None

    def text(self, text: str) -> str:
        """`text` without secrets."""
        if self._pattern is not None:
            text = self._pattern.sub(REDACTED, text)
        for telltale in _TELLTALES:
            text = telltale.sub(rf"\1{REDACTED}", text)
        return text

    def value(self, value: object) -> object:
        """A plain value (see `observe.plain`) without secrets, names of mappings included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return self.fields(value)
        if isinstance(value, list | tuple):
            return [self.value(member) for member in value]
        if isinstance(value, int | float) and not isinstance(value, bool):
            # A secret of digits alone may have been read as a number.
            written = str(value)
            return value if self.text(written) == written else REDACTED
        return value

    def fields(self, fields: Mapping[str, object]) -> dict[str, object]:
        """A mapping without secrets: a field named like a secret loses its whole value."""
        return {
            self.text(name): REDACTED if value and is_secret_name(name) else self.value(value)
            for name, value in fields.items()
        }


def is_secret_name(name: str) -> bool:
    """Whether a field of this name holds a secret: `key`, `api_key`, `authorization`, `access_token` …"""
    words = [word for word in _WORD_BREAK.split(name) if word]
    lowered = [word.lower() for word in words]
    return "_".join(lowered) in _SECRET_NAMES or not _SECRET_WORDS.isdisjoint(lowered)


def _parts(secret: str) -> set[str]:
    """The secret, and for a URL the parts of it that are credentials."""
    if not secret.strip():
        return set()
    parts = {secret, secret.strip()}
    if "://" not in secret:
        return parts
    try:
        split = urlsplit(secret.strip())
    except ValueError:
        return parts
    if split.scheme in {"http", "https"}:
        candidates = [split.username or "", split.password or "", *split.path.split("/")]
        candidates += [value for _, value in parse_qsl(split.query)]
    else:
        # Notification services put their token anywhere, the host included: tgram://ID:TOKEN/CHAT.
        candidates = re.split(r"[/:@?&=]+", secret.partition("://")[2])
    parts.update(unquote(part) for part in candidates if len(part) >= _SHORTEST_URL_PART)
    if split.password:
        parts.add(unquote(split.password))
    return parts


def _writings(secret: str) -> set[str]:
    """The ways in which others write the secret."""
    writings = {
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
    }
    return {writing for writing in writings if writing}
