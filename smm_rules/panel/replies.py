"""One HTTP answer judged: a decoded document, or the typed error it amounts to.

A documented error answer (`{"error": …}` in JSON) proves that the panel did not act. A page of HTML, broken
JSON, a redirect or a server error proves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Never

from smm_rules.panel.decoding import GARBLED, decode
from smm_rules.panel.errors import Ambiguous, RateLimited, Rejected, Unreadable
from smm_rules.panel.refusals import (
    is_plain_rate_limit,
    is_plain_refusal,
    refusal_reason,
    says_too_many_requests,
)
from smm_rules.panel.scalars import safe_text, text, whole_number

_FAILING = frozenset({"fail", "failed", "failure", "error", "false"})
#: What only an order's own state holds.
_STATE_NAMES = frozenset({"remains", "start_count", "runs", "posts"})
_MESSAGE_NAMES = ("message", "msg", "error_message", "description")
NO_REASON = "refused without a reason"
#: A gateway answers these when it lost patience with the panel, which may still be at work.
_GAVE_UP_WAITING = frozenset({408, 499})


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer in full. `retry_after` is what its headers ask for, None when they don't."""

    status: int
    text: str
    retry_after: timedelta | None = None


def judge(reply: Reply, effects: tuple[str, ...] = ()) -> object:
    """The decoded document of a usable answer.

    `effects` names the members that would show that a paid call took effect; an error beside one of them
    is no refusal. Raises `Rejected`, `RateLimited`, `Unreadable`, or `Ambiguous` for a server error.
    """
    if 300 <= reply.status < 400:
        raise Unreadable(
            f"HTTP {reply.status}: the panel points to another address; redirects are never followed, "
            "put the final address in the configuration"
        )
    try:
        document = decode(reply.text)
    except Unreadable as unreadable:
        _judge_unreadable(reply, unreadable)
    words = error_words(document)
    if words is None and reply.status >= 400:
        words = _message(document)
    if words is not None or reply.status == 429:
        _judge_refusal(reply, document, words, effects)
    if reply.status >= 500 or reply.status in _GAVE_UP_WAITING:
        raise Ambiguous(f"HTTP {reply.status} without a usable answer")
    if not 200 <= reply.status < 300:
        raise Unreadable(f"HTTP {reply.status} without a documented error")
    return document


def error_words(document: object) -> str | None:
    """The panel's words if the document as a whole is a refusal, else None.

    An object keyed by IDs is no refusal whatever its entries say, nor is the state of an order.
    """
    if not isinstance(document, Mapping) or is_state(document) or any(map(str.isdecimal, document)):
        return None
    words = _words(document.get("error")) or _words(document.get("errors"))
    if words:
        message = _message(document)
        return message if words == NO_REASON and message else words
    message = _message(document)
    if _is_no(document.get("success")) or document.get("ok") is False:
        return message or NO_REASON
    return message if message and _status_says_failure(document) else None


def _is_no(value: object) -> bool:
    """False, 0, "false" or "0". A signalling NaN, which compares with nothing, is none of them."""
    if isinstance(value, Decimal):
        return value.is_zero()
    return isinstance(value, bool | int | str) and value in (False, "false", "0")


def is_state(document: Mapping[str, object]) -> bool:
    """Whether it tells of an order's state: then `status` and `error` are the order's, not the answer's."""
    return not _STATE_NAMES.isdisjoint(document) and bool(text(document.get("status")))


def refusal_error(words: str, retry_after: timedelta | None = None) -> Rejected | RateLimited:
    """The error for a documented refusal in these words."""
    if says_too_many_requests(words):
        return RateLimited(words, retry_after)
    return Rejected(words, refusal_reason(words))


def _judge_unreadable(reply: Reply, unreadable: Unreadable) -> Never:
    if reply.status == 429:
        raise RateLimited("too many requests (HTTP 429)", reply.retry_after)
    said = f"HTTP {reply.status}: {unreadable}"
    if reply.status >= 500 or reply.status in _GAVE_UP_WAITING:
        raise Ambiguous(said)
    raise Unreadable(said)


def _judge_refusal(reply: Reply, document: object, words: str | None, effects: tuple[str, ...]) -> Never:
    said = words or "too many requests (HTTP 429)"
    if shows_effect(document, effects):
        raise Unreadable(f"the panel answered an error beside a result: {said}")
    if reply.status == 429:
        raise RateLimited(said, reply.retry_after or _asked_wait(document))
    if reply.status in _GAVE_UP_WAITING:
        raise Ambiguous(f"HTTP {reply.status}: {said}")
    refusal = refusal_error(said, reply.retry_after or _asked_wait(document))
    if reply.status >= 500 and isinstance(refusal, Rejected) and not is_plain_refusal(said):
        raise Ambiguous(f"HTTP {reply.status}: {said}")
    if reply.status >= 500 and effects and not is_plain_refusal(said) and not is_plain_rate_limit(said):
        # The provider behind the panel may be the one that was asked too often: the order may be there.
        raise Ambiguous(f"HTTP {reply.status}: {said}")
    raise refusal


def shows_effect(document: object, effects: tuple[str, ...]) -> bool:
    """Whether a member named in `effects` holds something other than nothing, zero or an error."""
    if not isinstance(document, Mapping):
        return False
    held = (document.get(name) for name in effects)
    return any(value not in (None, "", "0", 0, [], {}) and error_words(value) is None for value in held)


def _status_says_failure(document: Mapping[str, object]) -> bool:
    status = document.get("status")
    if status is False or (isinstance(status, str) and status.strip().casefold() in _FAILING):
        return True
    number = whole_number(status)
    return number is not None and number >= 400


def _words(value: object) -> str:
    """The words in an error member; empty when it says that there is no error."""
    if value is True or value is GARBLED:
        return NO_REASON
    if isinstance(value, Mapping):
        named = [text(value.get(name)) for name in ("error", *_MESSAGE_NAMES)]
        others = [text(member) for member in value.values()]
        return next((words for words in (*named, *others) if words), NO_REASON if value else "")
    if isinstance(value, list):
        return safe_text("; ".join(words for words in map(text, value[:5]) if words)) or (
            NO_REASON if value else ""
        )
    words = text(value)
    return "" if words.casefold() in ("0", "false", "null", "none") else words


def _message(document: object) -> str | None:
    if not isinstance(document, Mapping):
        return None
    return next((words for name in _MESSAGE_NAMES if (words := text(document.get(name)))), None)


def _asked_wait(document: object) -> timedelta | None:
    seconds = whole_number(document.get("retry_after")) if isinstance(document, Mapping) else None
    return timedelta(seconds=min(seconds, 86_400)) if seconds is not None and seconds >= 0 else None
