"""The pipeline from a log call to a line: readable, safe to read, free of secrets."""

from __future__ import annotations

import io
import json
import logging
import os
import warnings
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smm_rules.facts import Entity, EntityKind
from smm_rules.observe import Redactor, configure_logging, correlated, get_logger
from smm_rules.observe.configure import EventHandler, LogFormat, reaches_journal
from smm_rules.observe.plain import LONGEST_TEXT
from smm_rules.observe.render import console_text, json_line

CANARY = "cAnary/key+5f2e=91"
log = get_logger("smm_rules.tests")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    level = root.level
    yield
    root.setLevel(level)
    root.handlers[:] = [handler for handler in root.handlers if not isinstance(handler, EventHandler)]
    logging.captureWarnings(False)


def configured(format: LogFormat = "json", level: str = "debug") -> io.StringIO:
    stream = io.StringIO()
    # pytest's own handlers would write the events a second time, in their way.
    logging.getLogger().handlers.clear()
    configure_logging(format, level, [CANARY], stream, {})  # type: ignore[arg-type] # a plain text in tests
    return stream


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def only(stream: io.StringIO) -> dict[str, object]:
    (line,) = lines(stream)
    return line


def test_a_line_begins_with_time_level_and_event_and_keeps_its_fields_in_order() -> None:
    stream = configured()
    log.info("order.tracked", panel="main", order_id="7")
    line = only(stream)
    assert list(line) == ["timestamp", "level", "event", "panel", "order_id"]
    assert datetime.fromisoformat(str(line["timestamp"])).utcoffset() == timedelta()
    assert (line["level"], line["event"], line["panel"]) == ("info", "order.tracked", "main")


def test_values_are_written_the_way_people_write_them() -> None:
    stream = configured()
    log.info(
        "a.b",
        money=Decimal("1E+3"),
        at=datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=3))),
        hold=timedelta(minutes=90),
        short=timedelta(milliseconds=250),
        kind=EntityKind.ORDER,
        path=Path("/etc/smm-rules"),
        entity=Entity(EntityKind.ORDER, "main", "7"),
        names=frozenset({"b", "a"}),
        odd=float("nan"),
        error=ValueError("no"),
        nested={"amount": [Decimal("0.90"), None, True, 3]},
    )
    assert {name: value for name, value in only(stream).items() if name not in ("timestamp", "level")} == {
        "event": "a.b",
        "money": "1000",
        "at": "2026-01-02T00:00:00Z",
        "hold": "1h30m",
        "short": "0.25s",
        "kind": "order",
        "path": "/etc/smm-rules",
        "entity": "order/main/7",
        "names": ["a", "b"],
        "odd": "nan",
        "error": "ValueError: no",
        "nested": {"amount": ["0.90", None, True, 3]},
    }


def test_events_below_the_level_are_not_written() -> None:
    stream = configured(level="warning")
    log.info("a.b")
    log.warning("a.c")
    assert [line["event"] for line in lines(stream)] == ["a.c"]


def test_correlation_reaches_every_event_of_the_work() -> None:
    stream = configured()
    with correlated(job="orders:main"):
        log.info("a.b")
    log.info("a.c")
    assert [line.get("job") for line in lines(stream)] == ["orders:main", None]


def test_configuring_again_replaces_the_earlier_set_up() -> None:
    first, second = configured(), configured()
    log.info("a.b")
    assert (first.getvalue(), len(lines(second))) == ("", 1)


def test_a_library_line_takes_the_same_way() -> None:
    stream = configured()
    logging.getLogger("some.library").warning("it %s", "broke")
    line = only(stream)
    assert (line["event"], line["logger"], line["message"], line["level"]) == (
        "library.message",
        "some.library",
        "it broke",
        "warning",
    )


def test_uvicorn_handlers_are_taken_away_and_its_lines_arrive_once() -> None:
    logging.getLogger("uvicorn").addHandler(logging.StreamHandler(io.StringIO()))
    logging.getLogger("uvicorn.error").setLevel(logging.NOTSET)  # a simulator that ran before set it
    stream = configured()
    logging.getLogger("uvicorn.error").info("started")
    assert (logging.getLogger("uvicorn").handlers, len(lines(stream))) == ([], 1)


def test_warnings_of_python_become_events() -> None:
    stream = configured()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old ways", stacklevel=1)
    assert [line["logger"] for line in lines(stream)] == ["py.warnings"]


# -- secrets ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("format", ["json", "console"])
def test_the_canary_is_in_no_place_of_the_output(format: LogFormat) -> None:
    stream = configured(format)
    log.info(f"event.{CANARY}", text=f"with {CANARY} inside", nested={"deep": [{CANARY: (CANARY,)}]})
    log.info("a.b", url=str(httpx.URL("https://panel.example", params={"x": CANARY})), raw=CANARY.encode())
    try:
        raise RuntimeError(f"panel said {CANARY}") from KeyError(CANARY)
    except RuntimeError as error:
        log.exception("a.c", error=error)
    logging.getLogger("httpx").warning("HTTP Request: POST https://panel.example/?key=%s", CANARY)
    logging.getLogger("some.library").error("failed", exc_info=ValueError(CANARY))
    written = stream.getvalue()
    assert "[redacted]" in written
    assert "a.c" in written
    for writing in (CANARY, "5f2e", CANARY.lower(), "cAnary%2Fkey"):
        assert writing not in written


async def test_httpx_says_nothing_of_its_requests() -> None:
    stream = configured()
    transport = httpx.MockTransport(lambda _: httpx.Response(200))
    async with httpx.AsyncClient(transport=transport) as client:
        await client.get(f"https://panel.example/{CANARY}")
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    "name",
    ["key", "api_key", "X-Api-Key", "token", "accessToken", "client_secret", "password", "Authorization"],
)
def test_a_field_named_like_a_secret_loses_its_value(name: str) -> None:
    assert Redactor().fields({name: "unregistered"}) == {name: "[redacted]"}
    assert Redactor().value([{name: {"deep": 1}}]) == [{name: "[redacted]"}]


@pytest.mark.parametrize("name", ["dedup_key", "keyword", "keys", "monkey", "panel"])
def test_a_harmless_field_keeps_its_value(name: str) -> None:
    assert Redactor().fields({name: "value"}) == {name: "value"}


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("POST https://p/?key=abc&x=1", "POST https://p/?key=[redacted]&x=1"),
        ("key=abc&action=add", "key=[redacted]&action=add"),
        ("Authorization: Bearer abcdefgh12", "Authorization: Bearer [redacted]"),
        ("smtp://me:pass@host", "smtp://me:[redacted]@host"),
        ("{'api_key': 'abc', 'a': 1}", "{'api_key': '[redacted]', 'a': 1}"),
        ("the key to success = work", "the key to success = work"),
    ],
)
def test_what_looks_like_a_secret_in_text_is_replaced(text: str, redacted: str) -> None:
    assert Redactor().text(text) == redacted


def test_the_parts_of_a_secret_url_are_secrets_too() -> None:
    redactor = Redactor(
        ["tgram://123456789:AbCdEfGh12/987654321", "https://hooks.example/T0/B00000000/pQrStUvWx"]
    )
    text = "POST https://api.telegram.org/bot123456789:abcdefgh12/send to 987654321, B00000000 pQrStUvWx"
    assert redactor.text(text) == (
        "POST https://api.telegram.org/bot[redacted]:[redacted]/send to [redacted], [redacted] [redacted]"
    )
    assert redactor.text("hooks.example") == "hooks.example"


def test_a_secret_of_digits_is_found_as_a_number() -> None:
    assert Redactor(["12345678"]).value({"n": 12345678, "m": 1234}) == {"n": "[redacted]", "m": 1234}


def test_a_secret_learnt_later_is_kept_too() -> None:
    stream = io.StringIO()
    redactor = configure_logging("json", "info", (), stream, {})
    redactor.register("later-secret", "", "  ")
    log.info("a.b", text="a later-secret here")
    assert only(stream)["text"] == "a [redacted] here"


@given(st.text(min_size=1).filter(str.strip), st.text(), st.text())
def test_no_secret_survives_in_any_surroundings(secret: str, before: str, after: str) -> None:
    redacted = Redactor([secret]).text(before + secret + after)
    assert (
        secret not in redacted.replace("[redacted]", "") or secret in "[redacted]" or secret in before + after
    )


def test_a_secret_at_the_cut_of_a_long_text_is_not_shown_in_halves() -> None:
    stream = configured()
    log.info("a.b", text="x" * (LONGEST_TEXT // 2 - 5) + CANARY + "y" * LONGEST_TEXT)
    text = str(only(stream)["text"])
    assert "cAn" not in text
    assert len(text) < LONGEST_TEXT + 100


# -- forged lines -------------------------------------------------------------------------------------------
EVIL = 'x\n{"event": "forged"}\r\x1b[31mred\x00\x9b\u2028\u202e\ud800\x7f'


@pytest.mark.parametrize("format", ["json", "console"])
def test_a_value_can_neither_break_a_line_nor_colour_it(format: LogFormat) -> None:
    stream = configured(format)
    log.info("a.b", text=EVIL, nested=[EVIL])
    logging.getLogger("some.library").warning(EVIL)
    written = stream.getvalue()
    assert written.count("\n") == 2
    assert [character for character in written if not character.isprintable() and character != "\n"] == []


def test_json_gives_the_value_back_as_it_was() -> None:
    assert json.loads(json_line({"event": "a.b", "text": EVIL}))["text"] == EVIL


@given(st.dictionaries(st.text(), st.text()), st.text())
def test_a_line_is_one_line_whatever_it_holds(fields: dict[str, str], event: str) -> None:
    whole = {**fields, "event": event}
    for name in ("exception", "stack"):
        whole.pop(name, None)
    assert len(json_line(whole).splitlines()) == 1
    assert len(console_text(whole, coloured=False).splitlines()) == 1


def test_the_lines_of_a_traceback_are_marked_in_the_console_form() -> None:
    stream = configured("console")
    try:
        raise ValueError("no\n2026-01-01T00:00:00Z INFO forged")
    except ValueError:
        log.exception("a.b")
    first, *rest = stream.getvalue().splitlines()
    assert first.endswith("ERROR    a.b")
    assert [line for line in rest if not line.startswith("    | ")] == []
    assert rest[-1] == "    | 2026-01-01T00:00:00Z INFO forged"


# -- where it goes ------------------------------------------------------------------------------------------
def test_auto_is_for_people_on_a_terminal_and_json_elsewhere() -> None:
    terminal, pipe = Terminal(), io.StringIO()
    configure_logging("auto", "info", (), terminal, {"NO_COLOR": "1"})
    log.info("a.b", panel="main")
    configure_logging("auto", "info", (), pipe, {})
    log.info("a.b", panel="main")
    assert terminal.getvalue().endswith("INFO     a.b panel=main\n")
    assert only(pipe)["panel"] == "main"


def test_colours_are_for_terminals_only() -> None:
    terminal, pipe = Terminal(), io.StringIO()
    configure_logging("console", "info", (), terminal, {})
    log.info("a.b")
    configure_logging("console", "info", (), pipe, {})
    log.info("a.b")
    assert ("\x1b[" in terminal.getvalue(), "\x1b[" in pipe.getvalue()) == (True, False)


def test_the_journal_gets_priorities(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with path.open("w", encoding="utf-8") as stream:
        status = os.fstat(stream.fileno())
        configure_logging("json", "debug", (), stream, {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
        for level in ("debug", "info", "warning", "error"):
            getattr(log, level)("a.b")
    assert [line[:4] for line in path.read_text(encoding="utf-8").splitlines()] == [
        "<7>{",
        "<6>{",
        "<4>{",
        "<3>{",
    ]


def test_another_stream_than_the_journal_gets_none(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w", encoding="utf-8") as stream:
        assert reaches_journal(stream, {"JOURNAL_STREAM": "1:2"}) is False
    assert reaches_journal(io.StringIO(), {"JOURNAL_STREAM": "1:2"}) is False


def test_a_stream_that_knows_only_ascii_gets_escapes() -> None:
    raw = io.BytesIO()
    configure_logging("json", "info", (), io.TextIOWrapper(raw, "ascii", write_through=True), {})
    log.info("a.b", text="жук")
    assert json.loads(raw.getvalue().replace(b"\\u", b"\\u"))["text"] == "жук"


def test_a_line_that_cannot_be_written_is_reported_without_its_content() -> None:
    stream = configured()
    handler = next(one for one in logging.getLogger().handlers if isinstance(one, EventHandler))

    class Faulty(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            raise RuntimeError(CANARY)

    handler.setFormatter(Faulty())
    log.info("a.b", text=CANARY)
    assert lines(stream) == [
        {"level": "error", "event": "observe.line_lost", "logger": "smm_rules.tests", "error": "RuntimeError"}
    ]


def test_a_value_that_cannot_be_written_costs_only_itself() -> None:
    class Faulty:
        def __repr__(self) -> str:
            raise RuntimeError

    stream = configured()
    endless: list[object] = []
    endless.append(endless)
    log.info("a.b", faulty=Faulty(), endless=endless, huge=10**6000, many=list(range(1000)))
    line = only(stream)
    assert line["faulty"] == "<Faulty whose text raises RuntimeError>"
    assert line["endless"] == [[[[[[[["…"]]]]]]]]
    assert line["huge"] == "(an integer of 19932 bits)"
    assert line["many"] == [*range(200), "… (800 more)"]
