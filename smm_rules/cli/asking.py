"""The question before something that can't be undone."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from smm_rules.cli.exits import Exit, Stop

yes_option = click.option("--yes", "-y", is_flag=True, help="Don't ask.")


def ask_first(question: str, yes: bool) -> None:
    """Go on only with the operator's consent: by `--yes`, or by an answer on a terminal.

    `Stop` when the answer is no, and where there is nobody to ask.
    """
    if yes:
        return
    with _terminal(question):
        if not click.confirm(question, err=True):
            raise Stop("Nothing was done.")


def ask_for_number(question: str, number: int, yes: bool) -> None:
    """Like `ask_first`, for what costs much: only the number itself, typed out, is consent."""
    if yes:
        return
    with _terminal(question):
        asked = f"{question} Type {number} to go ahead"
        typed = click.prompt(asked, default="", show_default=False, err=True)
    if typed.strip() != str(number):
        raise Stop("Nothing was done.")


@contextmanager
def _terminal(question: str) -> Iterator[None]:
    """A terminal to ask at; `Stop` where there is none.

    Ctrl-C ends the waiting for an answer: a running event loop would only note it for later.
    """
    if not sys.stdin.isatty():
        raise Stop(f"{question} There is no terminal to ask at: say --yes to go ahead.", Exit.USAGE)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
