"""Spans as OpenTelemetry traces, sent to a collector by OTLP over HTTP. Needs the extra `tracing`.

The trace of an episode's story is named by its correlation, the one that its log lines have: what fired, the
action days later and its messages are found together, from whichever process they came.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import blake2s

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, Status, StatusCode

from smm_rules import __version__
from smm_rules.observe.logs import get_logger
from smm_rules.observe.spans import Value

log = get_logger(__name__)

#: The story whose trace begins with the next span without a parent; empty for a trace of its own.
_STORY: ContextVar[str] = ContextVar("story", default="")
#: Whether the frame around has had a span within it.
_FRAME: ContextVar[list[bool] | None] = ContextVar("frame", default=None)
#: Spans with these names are calls to somebody else.
_CALLS = frozenset({"panel.call", "message.send"})
_TIMEOUT_SECONDS = 10


def exporting(
    endpoint: str, headers: Mapping[str, str], sample: float, service: str, instance: str
) -> OpenTelemetry:
    """A recorder that sends to `endpoint`, like http://127.0.0.1:4318/v1/traces, from a thread of its own.

    `sample` is the share of traces that are kept, from 0 to 1; a story is kept whole or not at all.
    """
    exporter = OTLPSpanExporter(endpoint=endpoint, headers=dict(headers), timeout=_TIMEOUT_SECONDS)
    return OpenTelemetry(BatchSpanProcessor(exporter), sample, service, instance)


class OpenTelemetry:
    """Takes spans; see `observe.spans.Recorder`. Nothing that goes wrong here is raised."""

    def __init__(
        self, processor: SpanProcessor, sample: float = 1.0, service: str = "smm-rules", instance: str = ""
    ) -> None:
        named = {"service.name": service, "service.version": __version__}
        if instance:
            named["service.instance.id"] = instance
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(sample)),
            resource=Resource(named),
            id_generator=_OfStories(),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("smm_rules", __version__)

    @contextmanager
    def span(self, name: str, story: str, facts: dict[str, Value]) -> Iterator[_Recorded]:
        """A span within the one that is open, or in the trace of `story`."""
        marked = _FRAME.get()
        if marked is not None:
            marked[0] = True
        recorded = self._begin(name, story, facts)
        try:
            yield recorded
        except BaseException as error:
            recorded.failed(type(error).__name__)
            raise
        finally:
            recorded.end()

    @contextmanager
    def frame(self, name: str, facts: dict[str, Value]) -> Iterator[_Recorded]:
        """A span that is given up unless another begins within it."""
        inside = [False]
        token = _FRAME.set(inside)
        recorded = self._begin(name, "", facts)
        try:
            yield recorded
        except BaseException as error:
            recorded.failed(type(error).__name__)
            inside[0] = True
            raise
        finally:
            _FRAME.reset(token)
            recorded.end(keep=inside[0])

    def close(self) -> None:
        """Send what is left, for some seconds at most."""
        try:
            self._provider.shutdown()
        except Exception as error:
            log.warning("tracing.failed", error=repr(error))

    def _begin(self, name: str, story: str, facts: dict[str, Value]) -> _Recorded:
        try:
            around = trace.get_current_span().get_span_context()
            token = _STORY.set(story)
            try:
                span = self._tracer.start_span(
                    name,
                    context=contexts.Context() if story else None,
                    kind=SpanKind.CLIENT if name in _CALLS else SpanKind.INTERNAL,
                    attributes={f"smm_rules.{key}": value for key, value in facts.items()},
                    links=[trace.Link(around)] if story and around.is_valid else [],
                    record_exception=False,
                )
            finally:
                _STORY.reset(token)
            if story:
                span.set_attribute("smm_rules.correlation", story)
            return _Recorded(span)
        except Exception as error:
            log.warning("tracing.failed", error=repr(error))
            return _Recorded(None)


class _Recorded:
    """An open span, the current one until it ends; None where it couldn't be begun."""

    def __init__(self, span: trace.Span | None) -> None:
        self._span = span
        self._token = None if span is None else contexts.attach(trace.set_span_in_context(span))

    def note(self, **facts: Value) -> None:
        """Add to what it says."""
        if self._span is not None:
            for key, value in facts.items():
                self._span.set_attribute(f"smm_rules.{key}", value)

    def failed(self, why: str) -> None:
        """Say that it came to no good end."""
        if self._span is not None:
            self._span.set_status(Status(StatusCode.ERROR, why))

    def end(self, *, keep: bool = True) -> None:
        """Close it; what isn't kept is never ended, and so never sent."""
        if self._span is None or self._token is None:
            return
        try:
            contexts.detach(self._token)
            if keep:
                self._span.end()
        except Exception as error:
            log.warning("tracing.failed", error=repr(error))


class _OfStories(IdGenerator):
    """Names traces by their story, where they have one."""

    def generate_trace_id(self) -> int:
        """Never 0: that is no name."""
        story = _STORY.get()
        if not story:
            return secrets.randbits(128) or 1
        return int.from_bytes(blake2s(story.encode(), digest_size=16).digest(), "big") or 1

    def generate_span_id(self) -> int:
        return secrets.randbits(64) or 1
