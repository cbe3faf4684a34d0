"""A channel that sends plain-text mail, with plots attached, through an SMTP server.

It uses the standard library's smtplib in a thread: mail is rare, a dependency less is worth more than a
thread saved, and Apprise needs the same kind of thread anyhow.
"""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from enum import StrEnum

from smm_rules.notify.channel import DeliveryFailed, Message
from smm_rules.notify.channels.answers import quoted_words
from smm_rules.notify.channels.worker import Worker
from smm_rules.observe import get_logger
from smm_rules.panel.endpoint import is_loopback

log = get_logger(__name__)

_LONGEST_SUBJECT = 200


class MailSecurity(StrEnum):
    """How the way to the server is kept: TLS from the start, STARTTLS, or nothing (loopback only)."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


_USUAL_PORTS = {MailSecurity.TLS: 465, MailSecurity.STARTTLS: 587, MailSecurity.NONE: 25}


class EmailChannel:
    """Mails each message from `sender` to all `recipients` (plain `name@host` addresses).

    `ValueError` when an address is malformed or the server is to be reached without TLS although it isn't
    this very machine. A server that offers no STARTTLS is never spoken to in the clear. `context` replaces
    the system's certificate authorities.
    """

    def __init__(
        self,
        name: str,
        host: str,
        sender: str,
        recipients: Sequence[str],
        port: int | None = None,
        security: MailSecurity = MailSecurity.STARTTLS,
        username: str | None = None,
        password: str | None = None,
        timeout: timedelta = timedelta(seconds=30),
        context: ssl.SSLContext | None = None,
    ) -> None:
        if security is MailSecurity.NONE and not is_loopback(host):
            raise ValueError(
                f'channel "{name}": security none is only for a server on this very machine; '
                "use starttls or tls"
            )
        if not recipients:
            raise ValueError(f'channel "{name}": it has no recipients')
        self._name = name
        self._host = host
        self._port = port or _USUAL_PORTS[security]
        self._security = security
        self._sender = _address(name, sender)
        self._recipients = tuple(_address(name, recipient) for recipient in recipients)
        self._credentials = (username, password or "") if username else None
        self._timeout = timeout
        self._context = context or ssl.create_default_context()
        self._worker = Worker(name)

    #: Plots go along: their lines below the text, the pictures attached.
    takes_plots = True

    @property
    def name(self) -> str:
        return self._name

    async def send(self, message: Message) -> None:
        """One attempt; `DeliveryFailed` unless the server took the mail for at least one recipient."""
        mail = self.compose(message, datetime.now(UTC))
        try:
            refused = await self._worker.run(lambda: self._submit(mail), self._timeout)
        except (smtplib.SMTPException, OSError, ssl.SSLError) as error:
            raise _failure(self._host, error) from None
        for recipient in refused:
            log.warning("channel.recipient_refused", channel=self._name, recipient=recipient)

    async def aclose(self) -> None:
        return

    def compose(self, message: Message, at: datetime) -> EmailMessage:
        """The mail for `message`. Its Message-ID follows from the message's key alone, so that a mail sent
        twice can be told by the reader's mail program."""
        mail = EmailMessage(policy=SMTP)
        mail["From"] = self._sender
        mail["To"] = self._recipients
        mail["Subject"] = _subject(message)
        mail["Date"] = format_datetime(at)
        digest = hashlib.sha256(message.key.encode("utf-8", "replace")).hexdigest()[:32]
        mail["Message-ID"] = f"<{digest}@{self._sender.domain}>"
        # RFC 3834: no out-of-office answers to a machine.
        mail["Auto-Submitted"] = "auto-generated"
        if message.level in {"warning", "error"}:
            mail["Importance"] = "high"
        text = message.body.encode("utf-8", "replace").decode() or message.title
        lines = [plot.line for plot in message.plots]
        mail.set_content("\n".join([text.rstrip("\n"), "", *lines]) if lines else text)
        for plot in message.plots:
            mail.add_attachment(
                plot.svg.encode("utf-8", "replace"), "image", "svg+xml", filename=plot.file_name
            )
        return mail

    def _submit(self, mail: EmailMessage) -> dict[str, tuple[int, bytes]]:
        """Hand the mail over; the recipients that were refused, as long as one was not."""
        seconds = self._timeout.total_seconds()
        if self._security is MailSecurity.TLS:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self._host, self._port, timeout=seconds, context=self._context
            )
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=seconds)
        with server:
            if self._security is MailSecurity.STARTTLS:
                server.starttls(context=self._context)
            if self._credentials is not None:
                server.login(*self._credentials)
            return server.send_message(mail)


def _address(name: str, text: str) -> Address:
    try:
        address = Address(addr_spec=text)
    except (ValueError, MessageError, IndexError):
        address = None
    if address is None or not address.domain or not address.username or not text.isprintable():
        raise ValueError(f'channel "{name}": {text!r} is not a mail address like name@example.org')
    return address


def _subject(message: Message) -> str:
    """The title, or the body's beginning, on one line: a line break would begin another header."""
    text = message.title or message.body
    printable = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(printable.split())
    return line if len(line) <= _LONGEST_SUBJECT else f"{line[:_LONGEST_SUBJECT]}…"


def _failure(host: str, error: Exception) -> DeliveryFailed:
    """What went wrong. Only what the server holds against this mail is permanent: a wrong password or a
    server without STARTTLS is mended in the configuration, and the mail then goes out."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        words = "; ".join(f"{code} {quoted_words(text)}" for code, text in error.recipients.values())
        permanent = all(500 <= code < 600 for code in codes)
        return DeliveryFailed(f"{host} refused every recipient: {words}", permanent=permanent)
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return DeliveryFailed(f"{host} refused the user name or password ({error.smtp_code})")
    if isinstance(error, smtplib.SMTPDataError | smtplib.SMTPSenderRefused):
        permanent = 500 <= error.smtp_code < 600
        return DeliveryFailed(
            f"{host} answered {error.smtp_code} {quoted_words(error.smtp_error)}", permanent=permanent
        )
    if isinstance(error, smtplib.SMTPResponseException):
        return DeliveryFailed(f"{host} answered {error.smtp_code} {quoted_words(error.smtp_error)}")
    return DeliveryFailed(f"{host}: {type(error).__name__}: {quoted_words(str(error))}")
