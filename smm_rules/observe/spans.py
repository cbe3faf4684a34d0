"""Spans: how long each part of the work took and what belonged to what, for whoever collects traces.

Where nobody does, which is the default, a span costs next to nothing and its packages need not be there.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

#: What a span can say: never a key, a link or what a panel wrote.
Value = str | int | float | bool


class Span(Protocol):
    """A stretch of work."""

    def note(self, **facts: Value) -> None:
        """Add to what it says."""
        ...

    def failed(self, why: str) -> None:
        """Say that it came to no good end; `why` is a name of ours, not a panel's words."""
        ...


class Recorder(Protocol):
    """Who takes spans. Nothing that goes wrong with it may be raised: money may be under way."""

    def span(self, name: str, story: str, facts: dict[str, Value]) -> AbstractContextManager[Span]: ...

    def frame(self, name: str, facts: dict[str, Value]) -> AbstractContextManager[Span]: ...


class _Unrecorded:
    """The span of nobody."""

    def note(self, **facts: Value) -> None:
        pass

    def failed(self, why: str) -> None:
        pass

    def __enter__(self) -> _Unrecorded:
        return self

    def __exit__(self, *raised: object) -> None:
        pass


_UNRECORDED = _Unrecorded()
_recorder: Recorder | None = None


def record_spans(recorder: Recorder | None) -> None:
    """From now on spans go to `recorder`; None for nobody."""
    global _recorder
    _recorder = recorder


def span(name: str, /, *, story: str = "", **facts: Value) -> AbstractContextManager[Span]:
    """A span while the block runs, within the one that is open.

    With a `story`, the correlation of an episode, it belongs to that story's trace instead, whichever process
    the story's other parts ran in and whenever that was.
    """
    return _UNRECORDED if _recorder is None else _recorder.span(name, story, facts)


def frame(name: str, /, **facts: Value) -> AbstractContextManager[Span]:
    """A span that is kept only if another begins within it: most ticks find nothing to do."""
    return _UNRECORDED if _recorder is None else _recorder.frame(name, facts)
