"""Spans: nothing without a recorder, the story's trace with one, and never in the way of the work."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from smm_rules.observe import frame, span
from smm_rules.observe.opentelemetry import OpenTelemetry
from smm_rules.observe.spans import record_spans

STORY = "198b9940efe2"


@pytest.fixture
def kept() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    recorder = OpenTelemetry(SimpleSpanProcessor(exporter))
    record_spans(recorder)
    yield exporter
    record_spans(None)
    recorder.close()


def named(kept: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {one.name: one for one in kept.get_finished_spans()}


def trace_of(one: ReadableSpan) -> int:
    assert one.context is not None
    return one.context.trace_id


def test_without_a_recorder_a_span_is_nothing() -> None:
    with span("a", x=1) as one, frame("b") as two:
        one.note(y=2)
        two.failed("no")
    assert one is two


def test_spans_are_within_one_another_and_say_what_they_are_about(kept: InMemorySpanExporter) -> None:
    with span("outer", panel="main") as outer:
        with span("panel.call", attempt=2):
            pass
        outer.note(firings=3)
    spans = named(kept)
    assert dict(spans["outer"].attributes or {}) == {"smm_rules.panel": "main", "smm_rules.firings": 3}
    assert spans["panel.call"].parent == spans["outer"].context
    assert (spans["panel.call"].kind.name, spans["outer"].kind.name) == ("CLIENT", "INTERNAL")


async def test_a_story_is_one_trace_whoever_tells_it(kept: InMemorySpanExporter) -> None:
    async def act() -> None:
        with span("action", story=STORY), span("panel.call"):
            await asyncio.sleep(0)

    with span("look"), span("rule.fired", story=STORY):
        pass
    await asyncio.gather(act(), act())
    first, *_ = kept.get_finished_spans()
    assert {trace_of(one) for one in kept.get_finished_spans() if one.name != "look"} == {trace_of(first)}
    spans = named(kept)
    assert trace_of(spans["look"]) != trace_of(spans["rule.fired"])
    assert [link.context for link in spans["rule.fired"].links] == [spans["look"].context]
    assert (spans["rule.fired"].attributes or {})["smm_rules.correlation"] == STORY
    again = InMemorySpanExporter()
    other = OpenTelemetry(SimpleSpanProcessor(again))
    with other.span("message.send", STORY, {}):
        pass
    assert trace_of(named(again)["message.send"]) == trace_of(first), "another process names it alike"


def test_a_frame_with_nothing_in_it_is_not_kept(kept: InMemorySpanExporter) -> None:
    with frame("look", what="orders"):
        pass
    with frame("look", what="balance"), span("panel.call"):
        pass
    assert [one.name for one in kept.get_finished_spans()] == ["panel.call", "look"]
    assert (named(kept)["look"].attributes or {})["smm_rules.what"] == "balance"
    assert named(kept)["panel.call"].parent == named(kept)["look"].context


def test_a_failure_is_named_and_its_words_are_left_out(kept: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="key=secret"), span("panel.call"):
        raise ValueError("key=secret")
    [one] = kept.get_finished_spans()
    assert (one.status.status_code.name, one.status.description) == ("ERROR", "ValueError")
    assert one.events == ()


def test_a_story_is_sampled_whole_or_not_at_all() -> None:
    kept = InMemorySpanExporter()
    recorder = OpenTelemetry(SimpleSpanProcessor(kept), sample=0.5)
    for _ in range(3):
        for story in range(64):
            with recorder.span("action", f"{story:012x}", {}):
                pass
    counts: dict[int, int] = {}
    for one in kept.get_finished_spans():
        counts[trace_of(one)] = counts.get(trace_of(one), 0) + 1
    assert set(counts.values()) == {3}
    assert 10 < len(counts) < 54


class Broken(SpanProcessor):
    """A processor that always fails."""

    def on_start(self, span: Span, parent_context: object = None) -> None:
        raise RuntimeError("no")

    def shutdown(self) -> None:
        raise RuntimeError("no")


def test_what_fails_here_is_never_raised() -> None:
    recorder = OpenTelemetry(Broken())
    with recorder.span("action", STORY, {}) as one, recorder.frame("look", {}):
        one.note(x=1)
    recorder.close()
