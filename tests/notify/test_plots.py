"""Plots of balances in mails, received by a real mail server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from email.message import EmailMessage
from xml.etree import ElementTree

import pytest
from structlog.testing import capture_logs

from smm_rules.facts import Entity, EntityKind, Facts
from smm_rules.ledger.records import MessageState, Observed, QueuedMessage, Sweep
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.notify.delivery import deliver_due
from smm_rules.notify.plots import BalancePlots
from tests.notify.outbox import START, FakeChannel, MemoryOutbox, queued
from tests.notify.test_email import Mailbox, channel, serving

DAY = timedelta(days=1)


@pytest.fixture
async def ledger() -> AsyncIterator[SqliteLedger]:
    """North's balance fell day by day; south's, in euros, fell once; west's never moved."""
    async with await SqliteLedger.in_memory() as opened:
        for panel, currency, amounts in (
            ("north", "USD", (96, 80, 60, 41, 22, 3)), ("south", "EUR", (5, 4)), ("west", "USD", (7,)),
        ):  # fmt: skip
            for number, amount in enumerate(amounts):
                facts: Facts = {"amount": Decimal(amount), "currency": currency}
                seen = Observed(Entity(EntityKind.BALANCE, panel), facts, True, None)
                await opened.record(Sweep(START - (len(amounts) - number) * DAY, (seen,)))
        yield opened


def about(panel: str, number: int = 1, kind: str = "balance") -> QueuedMessage:
    return queued(number, alert=f"low-balance:{kind}/{panel}:2026-03-01T12:00:00+00:00", body="it is low")


async def mailed(ledger: SqliteLedger, *messages: QueuedMessage) -> list[EmailMessage]:
    outbox, mailbox = MemoryOutbox(*messages), Mailbox()
    plots = BalancePlots(ledger, ("north", "south", "west"))
    async with serving(mailbox) as port:
        mails = channel(port)
        await deliver_due(outbox, {"ops": mails}, START, plotter=plots.of)
        await mails.aclose()
    assert set(outbox.states().values()) == {MessageState.DELIVERED.value}
    return mailbox.mails


def parts(mail: EmailMessage) -> tuple[str, dict[str, str]]:
    """The text, and each attachment by its name."""
    body = mail.get_body(("plain",))
    assert body is not None
    attached = {
        one.get_filename() or "": one.get_content().decode("utf-8") for one in mail.iter_attachments()
    }
    return body.get_content(), attached


async def test_a_mail_about_a_balance_shows_how_it_came_there(ledger: SqliteLedger) -> None:
    [mail] = await mailed(ledger, about("north"))
    text, attached = parts(mail)
    first, empty, line = text.splitlines()
    assert (first, empty) == ("it is low", "")
    assert line == "north, 14 days: ██▆▆▅▅▃▃▂▂▁▁▁ 3 USD"
    assert list(attached) == ["balance-north.svg"]
    [attachment] = mail.iter_attachments()
    assert attachment.get_content_type() == "image/svg+xml"
    assert ElementTree.fromstring(attached["balance-north.svg"]).tag.endswith("svg")


async def test_the_daily_statement_shows_every_balance_that_moved_each_in_its_own_currency(
    ledger: SqliteLedger,
) -> None:
    [mail] = await mailed(ledger, queued(1, dedup_key="operator:statement:ops:2026-02-28"))
    text, attached = parts(mail)
    assert list(attached) == ["balance-north.svg", "balance-south.svg"]
    assert [line.rpartition(" ")[2] for line in text.splitlines() if "14 days" in line] == ["USD", "EUR"]


async def test_other_mails_and_balances_that_never_moved_have_none(ledger: SqliteLedger) -> None:
    for message in (queued(1), about("west"), about("north/7", kind="order"), about("nowhere")):
        [mail] = await mailed(ledger, message)
        assert mail.get_content_type() == "text/plain"


async def test_other_channels_get_the_message_as_it_is(ledger: SqliteLedger) -> None:
    ops = FakeChannel("ops")
    plots = BalancePlots(ledger, ("north",))
    await deliver_due(MemoryOutbox(about("north")), {"ops": ops}, START, plotter=plots.of)
    assert [message.plots for message in ops.sent] == [()]


async def test_a_plot_that_fails_keeps_no_mail_back(ledger: SqliteLedger) -> None:
    await ledger.aclose()
    with capture_logs() as logs:
        [mail] = await mailed(ledger, about("north"))
    assert mail.get_content().strip() == "it is low"
    assert [one["event"] for one in logs if one["log_level"] in ("warning", "error")] == [
        "message.plot_failed"
    ]
