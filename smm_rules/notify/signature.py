"""Signatures of webhooks: how we make them, and how a receiver checks them.

A request carries `X-Smm-Rules-Signature: t=<unix seconds>,v1=<hex>`, where the hex digits are HMAC-SHA256
under the channel's secret over the bytes `<unix seconds>` `.` `<body as received>`. A receiver computes it
over the raw body, compares in constant time, and refuses a time stamp more than some minutes away, so that
a request overheard once can't be played again later. `Idempotency-Key` stays the same over repeated attempts.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

HEADER = "X-Smm-Rules-Signature"
#: How far a time stamp may be from the receiver's clock.
TOLERANCE = timedelta(minutes=5)


class SignatureRefused(Exception):
    """The signature doesn't show that the holder of the secret sent this body just now."""


def sign(secret: str, body: bytes, at: datetime) -> str:
    """The value of the header for `body`, sent at `at`."""
    seconds = int(at.timestamp())
    return f"t={seconds},v1={_digest(secret, seconds, body)}"


def verify(secret: str, header: str, body: bytes, now: datetime, tolerance: timedelta = TOLERANCE) -> None:
    """Return when the header proves `body`; `SignatureRefused` says why it doesn't.

    Several `v1` are allowed, and one must match: that is how a secret will be changed without a gap.
    """
    pairs = [part.strip().partition("=") for part in header.split(",")]
    stamps = [value for name, _, value in pairs if name == "t"]
    given = [value for name, _, value in pairs if name == "v1"]
    if len(stamps) != 1 or not stamps[0].isascii() or not stamps[0].isdigit() or len(stamps[0]) > 12:
        raise SignatureRefused("the header has no single time stamp t=…")
    seconds = int(stamps[0])
    wanted = _digest(secret, seconds, body)
    if not any(hmac.compare_digest(wanted.encode(), one.encode()) for one in given):
        raise SignatureRefused("no v1=… matches the body under this secret")
    if abs(now - datetime.fromtimestamp(seconds, UTC)) > tolerance:
        raise SignatureRefused("the time stamp is too far from this clock")


def _digest(secret: str, seconds: int, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
