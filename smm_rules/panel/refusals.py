"""What a panel's words of refusal mean. Every panel has its own; those below are the common ones."""

from __future__ import annotations

import re
from datetime import timedelta

from smm_rules.panel.errors import RefusalReason

_BAD = r"(?:incorrect|invalid|wrong|bad|unknown|missing|empty|inactive|unsupported)"
_IS_BAD = (
    r"(?:(?:is|are|was|has been|format) )*(?:not found|not valid|not active|incorrect|invalid|wrong|missing"
    r"|empty|required|disabled|inactive|unavailable|not available|does not exist|doesn t exist|not exist)"
)
_CANNOT = (
    r"(?:not available|unavailable|disabled|not allowed|not supported|not eligible|not possible|not enabled"
    r"|can ?not|can t|cant|couldn t|could not|impossible|denied|expired|does not|doesn t"
    r"|no longer|not support)"
)
_SOON = (
    r"(?:too early|too soon|not yet|wait|hours?|days?|later|already (?:requested|in progress|pending|sent"
    r"|active|processing|has|exists?)|in progress|pending)"
)

_NO_SUCH = (
    r"(?:(?:is|was|has) )*(?:not found|not valid|incorrect|invalid|wrong|does not exist|doesn t exist"
    r"|not exist)"
)

# The first pattern that is found decides, so the particular stand before the general.
_PATTERNS: tuple[tuple[RefusalReason, str], ...] = (
    (RefusalReason.INCORRECT_REFILL, rf"{_BAD} refill(?: id)?|refill(?: id)? {_NO_SUCH}|no such refill"),
    (
        RefusalReason.REFILL_UNAVAILABLE,
        r"refill\w*(?: \w+){0,6}? (?:expired|ended|is over|no longer|older than)"
        r"|(?:expired|ended|older than)(?: \w+){0,4}? refill",
    ),
    (RefusalReason.REFILL_TOO_EARLY, rf"refill\w*(?: \w+){{0,8}}? {_SOON}|{_SOON}(?: \w+){{0,8}}? refill"),
    (
        RefusalReason.REFILL_UNAVAILABLE,
        rf"refill\w*(?: \w+){{0,6}}? {_CANNOT}|{_CANNOT}(?: \w+){{0,6}}? refill|no refill|without refill",
    ),
    (
        RefusalReason.CANCEL_UNAVAILABLE,
        rf"cancel\w*(?: \w+){{0,6}}? (?:{_CANNOT}|already)|(?:{_CANNOT}|already)(?: \w+){{0,6}}? cancel\w*"
        r"|no cancel|order (?:is )?already (?:completed|finished)",
    ),
    (
        RefusalReason.NOT_ENOUGH_FUNDS,
        r"(?:not enough|insufficient|no enough|lack of|low) (?:\w+ )?(?:funds?|balance|money|credits?)"
        r"|(?:balance|funds?|credits?)(?: is| are)? (?:too low|not enough|insufficient|low|not sufficient)"
        r"|yetersiz bakiye|bakiye\w* yetersiz|недостаточно средств",
    ),
    (
        RefusalReason.INVALID_KEY,
        rf"{_BAD} (?:api )?(?:key|token)|(?:key|token) {_IS_BAD}|api (?:key|token) {_IS_BAD}|unauthori[sz]ed"
        r"|unauthenticated|authentication failed|(?:account|user)(?: is| has been)? (?:suspended|banned"
        r"|blocked|inactive|disabled|not active|not found)|geçersiz api|неверный (?:api )?ключ",
    ),
    (
        RefusalReason.DUPLICATE_ORDER,
        r"active order with this link|already (?:have|has)(?: \w+){0,4} order|order (?:\w+ )?already exists?"
        r"|(?:you )?have (?:an? )?(?:active|pending) order|duplicate(?:d)? (?:order|link)"
        r"|(?:order|link) duplicate|(?:please )?wait until (?:the |your |previous )*order",
    ),
    (
        RefusalReason.INCORRECT_QUANTITY,
        rf"{_BAD} (?:order )?quantity|quantity (?:{_IS_BAD}|less|more|must|should|too|is|below|above"
        r"|exceeds?)|(?:min|minimum|minimal|max|maximum|maximal) (?:order )?(?:quantity|amount|order)",
    ),
    (RefusalReason.INCORRECT_LINK, rf"{_BAD} (?:link|url|username)|(?:link|url|username) {_IS_BAD}"),
    (RefusalReason.INCORRECT_ORDER, rf"{_BAD} orders?(?: ids?)?|orders?(?: ids?)? {_IS_BAD}|no such order"),
    (RefusalReason.INCORRECT_SERVICE, rf"{_BAD} service(?: id)?|service(?: id)? {_IS_BAD}|no such service"),
    (
        RefusalReason.INVALID_REQUEST,
        rf"{_BAD} (?:request|action|method|parameters?|params?|api version|data)|method not allowed"
        r"|(?:request|action|parameters?) (?:is |are )?"
        r"(?:incorrect|invalid|wrong|missing|required|not found)",
    ),
)
# What panels put before the words themselves.
_PREFIX = r"(?:(?:neworder|order|api|refill|cancel|error|err|sorry|you) )*?"
_ANYWHERE = tuple((reason, re.compile(rf"\b(?:{pattern})")) for reason, pattern in _PATTERNS)
_AT_START = tuple(re.compile(rf"{_PREFIX}(?:{pattern})") for _, pattern in _PATTERNS)
_TOO_MANY_WORDS = (
    r"(?:rate limit|too many (?:requests?|attempts|api)|(?:requests?|api|calls?) limit"
    r"|requests? (?:are )?too (?:often|frequent\w*)|limit of requests|slow down|throttl)"
)
_TOO_MANY = re.compile(rf"\b{_TOO_MANY_WORDS}")
_TOO_MANY_AT_START = re.compile(
    r"(?:(?:you|have|has|exceeded|reached|hit|the|your|an|our|api|please|error|err|sorry|http|429|max|maximum"
    rf"|\d+) )*?{_TOO_MANY_WORDS}"
)
_NOT_WORDS = re.compile(r"[\W_]+")
_SPAN = re.compile(r"\b(\d{1,5}) ?(min(?:ute)?s?|h(?:ou)?rs?|h|days?)\b")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def refusal_reason(message: str) -> RefusalReason:
    """Why the panel refuses, as far as its words say."""
    words = _squeeze(message)
    for reason, pattern in _ANYWHERE:
        if pattern.search(words):
            return reason
    return RefusalReason.UNRECOGNISED


def is_plain_refusal(message: str) -> bool:
    """Whether the message is a known refusal from its first word on.

    Stricter than `refusal_reason`: a crash that mentions a known word somewhere proves nothing.
    """
    words = _squeeze(message)
    return any(pattern.match(words) is not None for pattern in _AT_START)


def asked_to_wait(message: str) -> timedelta | None:
    """The first span of minutes, hours or days in a refusal's words, such as "available in 22 hours"."""
    found = _SPAN.search(_squeeze(message))
    return None if found is None else int(found[1]) * _UNITS[found[2][0]]


def says_too_many_requests(message: str) -> bool:
    """Whether the words are those of a rate limit."""
    return _TOO_MANY.search(_squeeze(message)) is not None


def is_plain_rate_limit(message: str) -> bool:
    """Whether the message is a rate limit from its first words on, unlike a crash that mentions one."""
    return _TOO_MANY_AT_START.match(_squeeze(message)) is not None


def _squeeze(message: str) -> str:
    return _NOT_WORDS.sub(" ", message.casefold()).strip()
