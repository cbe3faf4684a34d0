"""A panel's text on its way to people: in logs, tables, JSON and notifications it does nothing."""

from __future__ import annotations

import io
import json
import logging
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smm_rules.cli.terminal import new_table, print_json, print_table, safe
from smm_rules.ledger.records import Observed, Sweep
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.notify.channel import DeliveryFailed, Message
from smm_rules.notify.channels.answers import quoted_words
from smm_rules.notify.channels.apprise import AppriseChannel
from smm_rules.notify.channels.email import EmailChannel
from smm_rules.notify.channels.webhook import WebhookChannel
from smm_rules.observe import configure_logging, get_logger
from smm_rules.observe.configure import EventHandler
from smm_rules.panel import wire
from smm_rules.panel.replies import Reply, judge
from smm_rules.panel.scalars import safe_text
from smm_rules.rules.templates import render
from tests.ledger.builders import new_order
from tests.notify.receiver import answering, receiving

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOSTILE = {
    "clear the screen": "a\x1b[2J\x1b[Hb",
    "a window's title": "a\x1b]0;root@host\x07b",
    "a hyperlink": "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "C1 control": "a\x9b31mb",
    "a second line": 'x\n{"level":"error","event":"order.lost"}',
    "carriage return": "good\rbad",
    "separators": "a\u2028b\u2029c\x85d",
    "right to left": "abc\u202egnp.exe",
    "isolates": "a\u2066b\u2069c",
    "no width": "Comp\u200bleted\u2060",
    "tags": "hi\U000e0041\U000e0042",
    "half a character": "a\ud83db",
    "NUL": "a\0b",
    "rich markup": "[bold red]x[/] [link=https://evil.example]y[/link]",
    "HTML": "<img src=x onerror=alert(1)>&amp;",
    "template": "{{ 7 * 7 }}{% raw %}",
    "a header": "Subject\r\nBcc: victim@example.org\r\n\r\nbody",
    "percent": "%s %(name)s {0} {}",
    "byte order mark": "\ufeffx",
}


def plain_line(text: str) -> bool:
    """Whether `text` is one line in which everything is seen."""
    return all(
        unicodedata.category(one) not in ("Cc", "Cf", "Cs", "Zl", "Zp") or one in "\u200c\u200d"
        for one in text
    )


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_everything_a_panel_says_becomes_a_plain_line(text: str) -> None:
    said = json.dumps(text)
    document = judge(
        Reply(200, f'{{"1": {{"status": {said}, "expiry": {said}}}, "2": {{"error": {said}}}, "3": {said}}}')
    )
    entries = wire.read_order_states(document, ["1", "2", "3"])
    services = wire.read_catalogue(
        judge(Reply(200, f'[{{"service": 1, "name": {said}, "type": {said}, "category": {said}}}]'))
    ).services
    shown = [*entries.found.values(), *services]
    assert len(shown) == 4 or entries.unreadable
    for record in shown:
        for name in record.__slots__:
            value = getattr(record, name)
            assert not isinstance(value, str) or plain_line(value)


@given(st.text(max_size=100))
def test_safe_text_is_a_plain_line_and_safe_text_of_it_the_same(text: str) -> None:
    once = safe_text(text)
    assert "\x1b" not in once
    assert "\n" not in once
    assert safe_text(once) == once


# -- logs ---------------------------------------------------------------------------------------------------
@pytest.fixture
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    handlers_kept = [one for one in handlers if not isinstance(one, EventHandler)]
    root.handlers.clear()
    yield
    root.setLevel(level)
    root.handlers[:] = handlers_kept
    logging.captureWarnings(False)


@pytest.mark.usefixtures("logging_as_before")
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("format_name", ["json", "console"])
def test_a_log_line_stays_one_line(text: str, format_name: str) -> None:
    stream = io.StringIO()
    configure_logging(format_name, "info", [], stream, {})  # type: ignore[arg-type]
    get_logger("smm_rules.tests").warning("panel.status_unrecognised", panel=text, status=text)
    (line,) = stream.getvalue().splitlines()
    assert plain_line(line)
    if format_name == "json":
        assert json.loads(line)["status"] == text


# -- the ledger and the command line ------------------------------------------------------------------------
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_table_and_json_show_it_without_obeying(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    table = new_table("name", "next")
    table.add_row(safe(text), "cell")
    print_table(table)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert all(plain_line(line) for line in lines)
    print_json({"name": text})
    out = capsys.readouterr().out
    assert [plain_line(line) for line in out.split("\n")] == [True] * 4
    assert json.loads(out) == {"name": text}


async def test_the_ledger_keeps_it_as_a_value(tmp_path: Path) -> None:
    """No text of a panel is ever part of a statement."""
    facts = {f"said_{number}": safe_text(text) for number, text in enumerate(HOSTILE.values())}
    facts["sql"] = "'; DROP TABLE orders; --"
    order = new_order(1)
    async with await SqliteLedger.open(tmp_path / "ledger.db") as ledger:
        await ledger.track([order], NOW)
        await ledger.record(Sweep(NOW, (Observed(order.entity, facts, changed=True, due_at=None),)))
        kept = await ledger.watched(order.entity)
    assert kept is not None
    assert dict(kept.facts) == facts


# -- notifications ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_template_prints_a_fact_and_never_runs_it(text: str) -> None:
    assert render("{{ name }}", {"name": text}, {}) == text


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_mail_has_the_headers_it_is_to_have(text: str) -> None:
    channel = EmailChannel("mail", "mail.example", "from@example.org", ["to@example.org"])
    mail = channel.compose(Message(text, text, text), NOW)
    written = message_from_bytes(mail.as_bytes())
    assert set(written.keys()) <= {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Type",
        "Content-Transfer-Encoding", "MIME-Version",
    }  # fmt: skip
    assert written["To"] == "to@example.org"
    assert written.get_content_type() == "text/plain"
    assert plain_line(str(mail["Subject"]))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_webhook_s_request_is_one_request(text: str) -> None:
    async with receiving(lambda _: answering(200)) as receiver:
        channel = WebhookChannel("ops", receiver.url(), "secret")
        await channel.send(Message(text, text, text))
        await channel.aclose()
    (request,) = receiver.received
    assert json.loads(request.body)["body"] == text
    assert plain_line(request.headers["idempotency-key"])


async def test_apprise_is_told_that_it_is_plain_text() -> None:
    """A service that shows HTML gets it escaped; one that shows text gets the text."""
    pytest.importorskip("apprise")
    from apprise.conversion import convert_between

    assert "<img" not in convert_between("text", "html", HOSTILE["HTML"])
    text = "<b>50%</b> \\n {0} {{ x }}"
    async with receiving(lambda _: answering(200)) as receiver:
        channel = AppriseChannel("ops", [f"json://127.0.0.1:{receiver.port}/"])
        await channel.send(Message("key", text, text))
        await channel.aclose()
    assert json.loads(receiver.received[0].body)["message"] == text


# -- what receivers say -------------------------------------------------------------------------------------
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_receiver_s_words_are_a_plain_line_too(text: str) -> None:
    assert plain_line(quoted_words(text))
    assert plain_line(quoted_words(text.encode("utf-8", "replace")))
    async with receiving(lambda _: answering(500, text.encode("utf-8", "replace").decode())) as receiver:
        channel = WebhookChannel("ops", receiver.url(), "secret")
        with pytest.raises(DeliveryFailed) as caught:
            await channel.send(Message("key", "title", "body"))
        await channel.aclose()
    assert plain_line(str(caught.value))
