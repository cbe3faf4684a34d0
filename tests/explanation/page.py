"""docs/why-didnt-my-rule-fire.md, made of the prepared cases and of what `explain` really says about them.

`python -m tests.explanation.page` writes it anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from textwrap import fill
from unittest import mock

from smm_rules.cli.app import run
from tests.explanation.cases import CASES, Case
from tests.explanation.stage import HandClock, Stage

PAGE = Path(__file__).parents[2] / "docs" / "why-didnt-my-rule-fire.md"

_INTRODUCTION = """\
# Why didn't my rule fire?

Ask it:

<!-- test: world shop, elsewhere -->
```sh
smm-rules explain refill-partial 1001           # one rule about one order, every clause
smm-rules explain order 1001                    # all rules that watch orders, one line each
smm-rules explain refill-partial 1001 --at 2h   # as it was two hours ago
smm-rules explain low-balance main              # a balance; also service/main/12, refill/main/7, panel/main
```

The answer names one cause, says what would have to change, and then lists every clause of the condition with
its place in the file, the facts it read, the state of the hold, what the rule remembers and the last times
that something changed (20 are kept for each rule and order). `--json` gives all of it to scripts; `cause` is
then one of the words in the headings below.

The page below is made of real answers: a test runs each case on a simulated panel and compares.
"""
_ENDING = """
## Other answers

| cause | what it says |
|---|---|
| `kind_not_watched` | The rule watches something else than this. |
| `never_tracked` | The daemon was never told of the order: the API can't list orders. |
| `forgotten` | The order was forgotten, so nobody looks at it. |
| `not_yet_seen` | The order is known, but was not read yet. |
| `daemon_down` | No daemon runs, and a look is overdue. |
| `due` | Everything holds; it fires at the next look if the panel still says the same. |
| `fired` | It did fire, and what it asked for was done. |
| `action_waiting` | It fired; the action waits to be sent, for the balance, the catalogue or a later try. |
| `action_in_doubt` | It fired; nobody knows whether the panel acted. `intents resolve` it. |
| `action_refused` | It fired; the panel refused the action. |
| `action_not_sent` | It fired; the action could not be sent, and won't be. |
| `action_denied` | It fired; the operator denied the action. |
| `memory_lost` | The moment asked about is so long ago that what the rule remembered is no longer kept. |
"""


def answers(case: Case, directory: Path) -> tuple[str, str]:
    """What `explain` says about a case: as text, and with --json."""
    return asyncio.run(_prepared(case, directory))


async def _prepared(case: Case, directory: Path) -> tuple[str, str]:
    async with Stage(directory, mode=case.mode) as stage:
        if "backup" in case.rule:
            stage.add_panel("backup")
        stage.use(case.rule)
        await case.happen(stage)
        arguments = ["explain", _rule_name(case), case.about, "--config", str(stage.configuration_path)]
        text = await asyncio.to_thread(_said, arguments, stage.clock)
        return text, await asyncio.to_thread(_said, [*arguments, "--json"], stage.clock)


def _said(arguments: list[str], clock: HandClock) -> str:
    """What the command writes, run by a clock set by hand."""
    written = io.StringIO()
    with (
        mock.patch("smm_rules.cli.explain.explaining.SystemClock", return_value=clock),
        contextlib.redirect_stdout(written),
    ):
        code = run(arguments)
    assert code == 0, written.getvalue()
    return written.getvalue()


def _rule_name(case: Case) -> str:
    return case.rule.strip().splitlines()[0].removeprefix("name: ")


def all_answers(directory: Path) -> dict[str, tuple[str, str]]:
    """What `explain` says about every case, each prepared in its own directory below `directory`."""
    before = Path.cwd()
    found: dict[str, tuple[str, str]] = {}
    try:
        for case in CASES:
            own = directory / case.name
            own.mkdir()
            os.chdir(own)
            found[case.name] = answers(case, own)
    finally:
        os.chdir(before)
    return found


def page(found: Mapping[str, tuple[str, str]]) -> str:
    """The page's text, with the answers in it."""
    parts = [_INTRODUCTION]
    for case in CASES:
        text, _ = found[case.name]
        command = f"$ smm-rules explain {_rule_name(case)} {case.about}"
        parts += [
            f"\n## {case.title} (`{case.cause}`)\n\n{fill(case.prose, 110)}\n",
            f"\n```yaml\n{_as_written(case)}```\n",
            f"\n```text\n{command}\n{text}```\n",
        ]
    return "".join([*parts, _ENDING])


def _as_written(case: Case) -> str:
    first, *rest = case.rule.strip().splitlines()
    return "\n".join(["rules:", f"  - {first}", *(f"    {line}" for line in rest)]) + "\n"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        PAGE.write_text(page(all_answers(Path(temporary))), encoding="utf-8")
