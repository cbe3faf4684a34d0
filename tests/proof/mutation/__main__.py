"""`python -m tests.proof.mutation engine ledger --minutes 30`."""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.proof.mutation.driver import Driver
from tests.proof.mutation.mutants import Mutant

ROOT = Path(__file__).parents[3]
#: The tests a mutant of each package must pass, beside those of the package itself.
TESTS = {
    "engine": ("tests/engine", "tests/polling", "tests/ledger/contract", "tests/actions", "tests/review"),
    "ledger": ("tests/ledger", "tests/actions", "tests/polling"),
}
_QUIET = ("-q", "-p", "no:xdist", "-p", "no:timeout", "-p", "no:cacheprovider", "-p", "no:warnings")


def main() -> None:
    asked = _parser().parse_args()
    tests = asked.tests or list(dict.fromkeys(path for name in asked.packages for path in TESTS[name]))
    driver = Driver(asked.packages, asked.minutes, asked.seed, asked.sample, _wanted(asked.only, asked.again))
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory("", "smm-mutation-", memory if memory.is_dir() else None) as base:
        options = [*_QUIET, f"--basetemp={base}/tests", "-k", asked.select]
        pytest.main([*options, *(str(ROOT / path) for path in tests)], [driver])
    print(json.dumps(driver.score.told(), indent=1))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Whether the tests notice a change of the product.")
    parser.add_argument("packages", nargs="+", choices=sorted(TESTS))
    parser.add_argument("--minutes", default=60.0, type=float, help="no mutant is begun later than that")
    parser.add_argument("--sample", default=0, type=int, help="only so many mutants, drawn by the seed")
    parser.add_argument("--seed", default=1, type=int)
    parser.add_argument("--only", default="", help="only modules whose name matches this expression")
    parser.add_argument("--again", type=Path, help="only what an earlier run printed as not noticed")
    parser.add_argument("--select", default="", help="only tests that this expression picks, as pytest's -k")
    parser.add_argument("--tests", nargs="*", help="the tests, instead of those chosen for the packages")
    return parser


def _wanted(only: str, again: Path | None) -> Callable[[Mutant], bool]:
    modules = re.compile(only)
    if again is None:
        return lambda mutant: modules.search(mutant.module) is not None
    text = again.read_text(encoding="utf-8")
    told = json.loads(text[text.index("{\n") :])  # pytest's own last words come first
    before = frozenset(told["survivors"] + told["unreached ones"])
    return lambda mutant: modules.search(mutant.module) is not None and str(mutant) in before


if __name__ == "__main__":
    main()
