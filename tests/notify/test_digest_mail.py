"""A digest as a mail: one mail for all that was kept back, by a real mail server."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes
from email.policy import default

from smm_rules.ledger.records import MessageState
from smm_rules.notify.delivery import deliver_due
from smm_rules.notify.stages import Reason
from tests.notify.outbox import START, MemoryOutbox, queued
from tests.notify.test_email import Mailbox, channel, serving


async def test_what_was_kept_back_comes_as_one_mail() -> None:
    kept = [
        queued(
            number,
            title="",
            body=f"Order {number}: 5 missing\nas of today",
            level="warning",
            alert=f"late:order/north/{number}:x",
            telling="fired",
            why=Reason.QUIET_HOURS.value,
        )
        for number in (1, 2, 3)
    ]
    outbox, mailbox = MemoryOutbox(*kept), Mailbox()
    async with serving(mailbox) as port:
        mail_channel = channel(port)
        await deliver_due(outbox, {"ops": mail_channel}, START + timedelta(hours=1))
        await mail_channel.aclose()
    assert outbox.states() == dict.fromkeys((1, 2, 3), MessageState.DELIVERED.value)
    [envelope] = mailbox.envelopes
    mail = message_from_bytes(envelope.content, policy=default)
    assert mail["Subject"] == "3 alerts (late 3)"
    lines = mail.get_content().splitlines()
    assert lines == [f"- Order {number}: 5 missing" for number in (1, 2, 3)]
