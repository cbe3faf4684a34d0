"""Command lines run beside a stage, by its clock."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
from dataclasses import dataclass
from typing import Any
from unittest import mock

from smm_rules.cli.app import run
from tests.explanation.stage import HandClock, Stage

_CLOCKS = ("smm_rules.cli.explain.explaining.SystemClock", "smm_rules.cli.preview.previewing.SystemClock")


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended: its exit code, and what it wrote where."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """What was written with --json."""
        return json.loads(self.out)


async def said(stage: Stage, *arguments: str) -> Said:
    """Run one command line on the stage's configuration."""
    return await asyncio.to_thread(_run, [*arguments, "--config", str(stage.configuration_path)], stage.clock)


def _run(arguments: list[str], clock: HandClock) -> Said:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.ExitStack() as stack:
        for name in _CLOCKS:
            stack.enter_context(mock.patch(name, return_value=clock))
        stack.enter_context(mock.patch.dict(os.environ, {"NO_COLOR": "1"}))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        code = run(arguments)
    return Said(code, out.getvalue(), err.getvalue())
