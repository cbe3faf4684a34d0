"""Every command and option that a page names exists, also in the middle of a sentence."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from smm_rules.cli.app import cli
from tests.docs.pages import ROOT, every_page, read_page

PAGES = [pytest.param(path, id=str(path.relative_to(ROOT))) for path in every_page()]
_CODE = re.compile(r"`(smm-rules [^`]*)`")


def named(path: Path) -> Iterator[str]:
    """Command lines that a page names, in its text and in its blocks."""
    page = read_page(path)
    for block in page.commands:
        for line in block.text.replace("\\\n", " ").splitlines():
            for part in re.split(r"&&|\|\||[;|(]| exec ", re.sub(r"\s#.*| #.*", "", line)):
                found = re.search(r"(?<!\S)(?:\S*/)?(smm-rules (?!smm-rules)[a-z].*)", part)
                if found is not None:
                    yield found[1]
    for found in _CODE.finditer(re.sub(r"(?ms)^ *```.*?^ *```", "", page.text)):
        yield " ".join(found[1].split())


def fault(line: str) -> str:
    """What is wrong with a command line as a page writes it, nothing if all of it exists."""
    # Sentences write `approve|deny` for either, `[--live]` for what may be left out, `…` for anything.
    words = re.sub(r"[\[\]…]", " ", line).split() if "'" not in line else shlex.split(line)
    command, context = cli, click.Context(cli, info_name="smm-rules")
    for word in words[1:]:
        if word.startswith("-") and word not in ("-", "--"):
            unknown = [each for each in word.split("|") if not has_option(command, context, each)]
            if unknown:
                return f"{context.command_path} has no option {unknown[0]}"
        elif isinstance(command, click.Group):
            names = word.strip(".,").split("|")
            if not names[0].islower():
                return ""  # a word in capitals stands for any of them
            below = [command.get_command(context, name) for name in names]
            if None in below:
                return f"{context.command_path} has no command {names[below.index(None)]}"
            assert below[0] is not None
            command, context = below[0], click.Context(below[0], info_name=names[0], parent=context)
    return ""


def has_option(command: click.Command, context: click.Context, word: str) -> bool:
    """Whether the command has the option; `DAY` of `--day DAY|--since` is none."""
    known = {name for param in command.get_params(context) for name in (*param.opts, *param.secondary_opts)}
    return not word.startswith("-") or word.partition("=")[0] in known


@pytest.mark.parametrize("path", PAGES)
def test_every_command_that_a_page_names_exists(path: Path) -> None:
    assert [f"{line}: {what}" for line in named(path) if (what := fault(line))] == []


def test_what_does_not_exist_is_found() -> None:
    assert fault("smm-rules intents resolve 17 --did-not --retry") == ""
    assert fault("smm-rules intents approve|deny ID") == ""
    assert fault("smm-rules intent list") == "smm-rules has no command intent"
    assert fault("smm-rules intents list --status held") == "smm-rules intents list has no option --status"


@pytest.mark.parametrize("path", PAGES)
def test_every_module_that_a_page_runs_exists(path: Path) -> None:
    modules = set(re.findall(r"python -m ([a-z_.]+[a-z_])", read_page(path).text))
    assert [module for module in modules if importlib.util.find_spec(module) is None] == []
