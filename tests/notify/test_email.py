"""The e-mail channel against a real SMTP server."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from structlog.testing import capture_logs

from smm_rules.notify.channel import DeliveryFailed, Message
from smm_rules.notify.channels.email import EmailChannel, MailSecurity

NONE = MailSecurity.NONE
MESSAGE = Message("low-balance:main:1", "Low balance", "main: 3 USD left\nжук", "error")
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Mailbox:
    """Keeps what it is given; answers RCPT and DATA as told."""

    rcpt: dict[str, str] = field(default_factory=dict)
    data: str = "250 OK"
    envelopes: list[Envelope] = field(default_factory=list)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, _: Any) -> str:
        answer = self.rcpt.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        self.envelopes.append(envelope)
        return self.data

    @property
    def mails(self) -> list[EmailMessage]:
        return [message_from_bytes(bytes(one.content or b""), policy=default) for one in self.envelopes]  # type: ignore[misc] # the default policy makes EmailMessages


@asynccontextmanager
async def serving(mailbox: Mailbox, tls: ssl.SSLContext | None = None, **settings: Any) -> AsyncIterator[int]:
    """The port of a server; `tls` speaks TLS from the start."""

    def protocol() -> SMTP:
        return SMTP(mailbox, hostname="127.0.0.1", **settings)

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


def channel(port: int, **settings: Any) -> EmailChannel:
    given = {"security": NONE, "recipients": ["ops@example.org"], **settings}
    return EmailChannel("ops", "127.0.0.1", "daemon@example.org", port=port, **given)


async def failure(mailbox: Mailbox, message: Message = MESSAGE, **settings: Any) -> DeliveryFailed:
    async with serving(mailbox) as port:
        with pytest.raises(DeliveryFailed) as caught:
            await channel(port, **settings).send(message)
    return caught.value


async def test_a_message_arrives_as_plain_text() -> None:
    mailbox = Mailbox()
    async with serving(mailbox) as port:
        await channel(port, recipients=["ops@example.org", "night@example.org"]).send(MESSAGE)
    (mail,) = mailbox.mails
    assert mailbox.envelopes[0].mail_from == "daemon@example.org"
    assert mailbox.envelopes[0].rcpt_tos == ["ops@example.org", "night@example.org"]
    assert (mail["From"], mail["To"]) == ("daemon@example.org", "ops@example.org, night@example.org")
    assert (mail["Subject"], mail["Auto-Submitted"], mail["Importance"]) == (
        "Low balance",
        "auto-generated",
        "high",
    )
    assert (mail.get_content_type(), mail.get_content()) == ("text/plain", "main: 3 USD left\r\nжук\r\n")


def test_the_message_id_follows_from_the_key_alone() -> None:
    one, same = channel(25).compose(MESSAGE, AT), channel(25).compose(MESSAGE, AT + timedelta(hours=1))
    other = channel(25).compose(Message("another", "Low balance", "x"), AT)
    assert one["Message-ID"] == same["Message-ID"]
    assert one["Message-ID"] != other["Message-ID"]
    assert one["Date"] == "Sun, 01 Mar 2026 12:00:00 +0000"


async def test_a_title_cannot_add_headers() -> None:
    mailbox = Mailbox()
    async with serving(mailbox) as port:
        await channel(port).send(Message("k", "Low\r\nBcc: thief@example.net\r\n\r\nbody", "text"))
    (mail,) = mailbox.mails
    assert mail["Subject"] == "Low Bcc: thief@example.net body"
    assert mail["Bcc"] is None
    assert mailbox.envelopes[0].rcpt_tos == ["ops@example.org"]
    assert mail.get_content() == "text\r\n"


@pytest.mark.parametrize(
    "address", ["ops@example.org\r\nBcc: x@example.net", "ops", "@example.org", "a b@example.org", "", "ops@"]
)
def test_a_malformed_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="is not a mail address"):
        channel(25, recipients=[address])


async def test_lines_that_would_end_the_mail_are_kept_whole() -> None:
    mailbox = Mailbox()
    async with serving(mailbox) as port:
        await channel(port).send(Message("k", "", ".\n..\nMAIL FROM:<x>\n" + "y" * 3000))
    (mail,) = mailbox.mails
    assert mail.get_content().split("\r\n") == [".", "..", "MAIL FROM:<x>", "y" * 3000, ""]
    assert str(mail["Subject"]).startswith(". .. MAIL FROM:<x> yyy")


async def test_a_refused_mail_is_not_tried_again() -> None:
    failed = await failure(Mailbox(data="554 no thanks"))
    assert (str(failed), failed.permanent) == ("127.0.0.1 answered 554 no thanks", True)


async def test_a_mail_put_off_is_tried_again() -> None:
    failed = await failure(Mailbox(data="451 later"))
    assert (str(failed), failed.permanent) == ("127.0.0.1 answered 451 later", False)


@pytest.mark.parametrize(("answer", "permanent"), [("550 unknown", True), ("450 busy", False)])
async def test_every_recipient_refused(answer: str, permanent: bool) -> None:
    failed = await failure(Mailbox(rcpt={"ops@example.org": answer}))
    assert (str(failed), failed.permanent) == (f"127.0.0.1 refused every recipient: {answer}", permanent)


async def test_one_recipient_refused_is_said_and_the_mail_is_delivered() -> None:
    mailbox = Mailbox(rcpt={"gone@example.org": "550 unknown"})
    async with serving(mailbox) as port:
        with capture_logs() as logs:
            await channel(port, recipients=["ops@example.org", "gone@example.org"]).send(MESSAGE)
    assert mailbox.envelopes[0].rcpt_tos == ["ops@example.org"]
    assert logs == [
        {
            "event": "channel.recipient_refused",
            "log_level": "warning",
            "channel": "ops",
            "recipient": "gone@example.org",
        }
    ]


async def test_nobody_listening_is_tried_again() -> None:
    async with serving(Mailbox()) as port:
        pass
    with pytest.raises(DeliveryFailed, match="ConnectionRefusedError") as caught:
        await channel(port).send(MESSAGE)
    assert not caught.value.permanent


async def test_the_user_name_and_password_are_used() -> None:
    seen: list[object] = []

    def authenticator(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        seen.append(data)
        return AuthResult(success=data == LoginPassword(b"me", b"right"), handled=False)

    mailbox = Mailbox()
    async with serving(mailbox, authenticator=authenticator, auth_require_tls=False) as port:
        await channel(port, username="me", password="right").send(MESSAGE)
        with pytest.raises(DeliveryFailed, match=r"refused the user name or password \(535\)") as caught:
            await channel(port, username="me", password="wRong-canary").send(MESSAGE)
    assert len(mailbox.envelopes) == 1
    assert not caught.value.permanent
    assert "wRong-canary" not in str(caught.value)


# -- the way to the server ----------------------------------------------------------------------------------
def test_without_tls_only_this_very_machine_is_spoken_to() -> None:
    with pytest.raises(ValueError, match="security none is only for a server on this very machine"):
        EmailChannel(
            "ops", "mail.example.org", "a@example.org", ["b@example.org"], security=MailSecurity.NONE
        )


async def test_a_server_without_starttls_gets_nothing_in_the_clear() -> None:
    mailbox = Mailbox()
    failed = await failure(mailbox, security=MailSecurity.STARTTLS, username="me", password="p")
    assert mailbox.envelopes == []
    assert "STARTTLS" in str(failed)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1 in one file, made on the spot."""
    folder = tmp_path_factory.mktemp("tls")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        "-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem"
    )
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_bytes((folder / "key.pem").read_bytes() + (folder / "cert.pem").read_bytes())
    return both


def serving_tls(
    mailbox: Mailbox, certificate: Path, security: MailSecurity
) -> AbstractAsyncContextManager[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if security is MailSecurity.STARTTLS:
        return serving(mailbox, tls_context=context, require_starttls=True)
    return serving(mailbox, tls=context)


BOTH = pytest.mark.parametrize("security", [MailSecurity.TLS, MailSecurity.STARTTLS])


@BOTH
async def test_mail_goes_through_tls(certificate: Path, security: MailSecurity) -> None:
    mailbox = Mailbox()
    trusting = ssl.create_default_context(cafile=str(certificate))
    async with serving_tls(mailbox, certificate, security) as port:
        await channel(port, security=security, context=trusting).send(MESSAGE)
    assert len(mailbox.envelopes) == 1


@BOTH
async def test_a_certificate_nobody_vouches_for_is_refused(certificate: Path, security: MailSecurity) -> None:
    mailbox = Mailbox()
    async with serving_tls(mailbox, certificate, security) as port:
        with pytest.raises(DeliveryFailed, match="CERTIFICATE_VERIFY_FAILED") as caught:
            await channel(port, security=security).send(MESSAGE)
    assert mailbox.envelopes == []
    assert not caught.value.permanent
