"""Who is logged in. Sessions live in the process: a restart logs everybody out."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

LIFETIME = timedelta(hours=12)
#: More logins than this end the oldest; one that did something more often than this forgets the first.
MOST_SESSIONS, MOST_FORMS = 100, 500


@dataclass(slots=True)
class Session:
    """One login. `csrf` goes into every form of it; `done` has where each form that was sent led to.

    `notice` and `trouble` are what the next page says of the last form: what was done, or why it wasn't.
    """

    user: str
    csrf: str
    ends_at: datetime
    notice: str = ""
    trouble: str = ""
    done: OrderedDict[str, str] = field(default_factory=OrderedDict)
    at_work: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def by(self) -> str:
        """Who acts, in the ledger's record."""
        return f"web:{self.user}"

    def allows(self, csrf: str) -> bool:
        """Whether a form with this token is one of ours."""
        return hmac.compare_digest(csrf.encode(), self.csrf.encode())

    def take_word(self) -> tuple[str, str]:
        """Notice and trouble, said once."""
        word = (self.notice, self.trouble)
        self.notice = self.trouble = ""
        return word

    def remember(self, form: str, led_to: str) -> None:
        """Note that a form was carried out: sent once more it leads to the same place and does nothing."""
        self.done[form] = led_to
        while len(self.done) > MOST_FORMS:
            self.done.popitem(last=False)


class Sessions:
    """Sessions by their token; only the token's hash is kept."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def begin(self, user: str, now: datetime) -> str:
        """A new session's token."""
        token = secrets.token_urlsafe(32)
        self._sessions[_key(token)] = Session(user, secrets.token_urlsafe(32), now + LIFETIME)
        while len(self._sessions) > MOST_SESSIONS:
            self._sessions.popitem(last=False)
        return token

    def find(self, token: str | None, now: datetime) -> Session | None:
        """The session of a token, None once it has ended."""
        if not token:
            return None
        session = self._sessions.get(_key(token))
        if session is None or not session.ends_at - LIFETIME <= now < session.ends_at:
            self.end(token)
            return None
        return session

    def end(self, token: str | None) -> None:
        """Log out."""
        if token:
            self._sessions.pop(_key(token), None)


def _key(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()


def new_form() -> str:
    """The name of a form that is about to be shown."""
    return secrets.token_urlsafe(12)


class LoginForms:
    """Tokens for the form of the login itself, which no session protects yet.

    The token is in a cookie and in the form; whoever can't read the cookie can't make a form that fits. It
    is signed with a key of this process and ends after an hour.
    """

    _LASTS = timedelta(hours=1)

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def new(self, now: datetime) -> str:
        """A token for the cookie and the form."""
        told = f"{int(now.timestamp())}.{secrets.token_urlsafe(16)}"
        return f"{told}.{self._sign(told)}"

    def fits(self, cookie: str | None, form: str, now: datetime) -> bool:
        """Whether cookie and form are one, ours, and young enough."""
        if not cookie or not hmac.compare_digest(cookie.encode(), form.encode()):
            return False
        told, _, signature = cookie.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._sign(told).encode()):
            return False
        age = now.timestamp() - int(told.partition(".")[0])
        return -60 <= age <= self._LASTS.total_seconds()

    def _sign(self, told: str) -> str:
        return hmac.new(self._key, told.encode(), sha256).hexdigest()
