"""Where log events go and how they look: one pipeline for our own events and for libraries' lines."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from smm_rules.observe.plain import plain, shortened
from smm_rules.observe.redaction import Redactor
from smm_rules.observe.render import console_text, json_line
from smm_rules.observe.repeats import Repeats

LogFormat = Literal["json", "console", "auto"]
LogLevel = Literal["debug", "info", "warning", "error"]

#: Libraries that speak of every request or job at INFO: whole URLs, or noise. Heard from WARNING on.
_TALKATIVE = ("httpx", "httpcore", "apprise", "asyncio", "urllib3", "mail.log", "watchfiles")
#: Libraries that bring handlers of their own; theirs are taken away so that nothing bypasses redaction.
_SELF_WILLED = ("uvicorn", "uvicorn.error", "uvicorn.access")
#: sd-daemon(3): the journal reads a leading `<N>` as the priority of the line.
_PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}


def configure_logging(
    format: LogFormat,
    level: LogLevel,
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
    environment: Mapping[str, str] | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> Redactor:
    """Write events from `level` on to `stream` (standard error when None), secrets replaced, repeats counted.

    `auto` is console on a terminal and JSON elsewhere. The answer takes further secrets by `register`,
    as a reload brings them. Calling it again replaces the earlier set-up.
    """
    stream = sys.stderr if stream is None else stream
    environment = os.environ if environment is None else environment
    redactor = Redactor(secrets)
    if format == "auto":
        format = "console" if stream.isatty() else "json"
    handler = EventHandler(stream, Repeats(monotonic))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_library_message, structlog.stdlib.add_log_level, _TIMESTAMP],
            processors=_finish(format, redactor, stream, environment),
        )
    )
    _install(handler, level)
    return redactor


class EventHandler(logging.StreamHandler[TextIO]):
    """Writes lines, repeats of one once a while, and stays silent about what it can't write: the raw record
    might hold a secret."""

    def __init__(self, stream: TextIO, repeats: Repeats) -> None:
        super().__init__(stream)
        self._repeats = repeats

    def emit(self, record: logging.LogRecord) -> None:
        try:
            due = self._repeats.to_write(record)
        except Exception:  # a line must not be lost to the counting of others
            due = [record]
        for one in due:
            super().emit(one)

    def close(self) -> None:
        """Write what was only counted so far; called when Python ends and when logging is set up anew."""
        self.acquire()
        try:
            for one in self._repeats.rest():
                super().emit(one)
        finally:
            self.release()
        super().close()

    def handleError(self, record: logging.LogRecord) -> None:
        lost = {
            "level": "error",
            "event": "observe.line_lost",
            "logger": record.name,
            "error": type(sys.exc_info()[1]).__name__,
        }
        try:
            self.stream.write(json_line(lost) + "\n")
            self.flush()
        except (OSError, ValueError):
            # The stream itself is gone: there is nowhere left to say so.
            return


_TIMESTAMP = structlog.processors.TimeStamper(fmt="iso", utc=True)


def _finish(
    format: LogFormat, redactor: Redactor, stream: TextIO, environment: Mapping[str, str]
) -> list[Processor]:
    coloured = format == "console" and stream.isatty() and not environment.get("NO_COLOR")
    encoding = getattr(stream, "encoding", None) or "utf-8"
    in_journal = reaches_journal(stream, environment)

    def render(_: WrappedLogger, __: str, event: EventDict) -> str:
        text = json_line(event) if format == "json" else console_text(event, coloured=coloured)
        if in_journal:
            prefix = f"<{_PRIORITIES.get(str(event.get('level')), 6)}>"
            text = "\n".join(prefix + line for line in text.split("\n"))
        return text.encode(encoding, "backslashreplace").decode(encoding)

    def clean(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        # Level and time are ours; everything else may carry what a panel or a library said.
        kept = {name: event.pop(name) for name in ("timestamp", "level") if name in event}
        made_plain = {str(name): plain(value) for name, value in event.items()}
        safe = redactor.fields(made_plain)
        return {**kept, **{name: shortened(value) for name, value in safe.items()}}

    return [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        clean,
        render,
    ]


def _library_message(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A library's line as an event of ours: the name is fixed, its words are a field."""
    record: logging.LogRecord = event["_record"]
    event["logger"] = record.name
    event["message"] = event["event"]
    event["event"] = "library.message"
    if hasattr(record, "repeated"):
        event["repeated"] = record.repeated
    return event


def reaches_journal(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether `stream` is the very one systemd connected to the journal (JOURNAL_STREAM, device:inode)."""
    named = environment.get("JOURNAL_STREAM", "")
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return named == f"{status.st_dev}:{status.st_ino}"


def _install(handler: logging.Handler, level: LogLevel) -> None:
    root = logging.getLogger()
    for earlier in [one for one in root.handlers if isinstance(one, EventHandler)]:
        root.removeHandler(earlier)
        earlier.close()
    root.addHandler(handler)
    threshold = logging.getLevelNamesMapping()[level.upper()]
    root.setLevel(threshold)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING))
    for name in _SELF_WILLED:
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
    logging.captureWarnings(True)
