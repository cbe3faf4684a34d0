"""`smm-rules fmt`: rule files in one layout, with every comment kept and the meaning unchanged."""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from smm_rules.cli.check import is_configuration
from smm_rules.cli.context import config_option, read_configuration, rule_paths
from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.terminal import counted, output, print_problems, safe
from smm_rules.document import DocumentError, read_document, read_text
from smm_rules.rules.layout import formatted, same_meaning
from smm_rules.rules.loader import rule_files


@click.command("fmt")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit 1 when a file would change.")
@click.option("--diff", "show_diff", is_flag=True, help="Write nothing; show what would change.")
@config_option
def command(paths: tuple[Path, ...], only_check: bool, show_diff: bool, config_path: Path | None) -> int:
    """Bring rule files into one layout: the order of keys, indentation, blank lines between rules.

    Comments, quotes and alignment stay. Without PATHS: the rules that the configuration names. A file that
    can't be read, or whose meaning would change, is left as it is.
    """
    chosen = paths or tuple(rule_paths(read_configuration(config_path)))
    changed = unchanged = failed = 0
    for path in rule_files(chosen):
        if path not in chosen and is_configuration(path):
            continue
        after = _formatted(path)
        if after is None:
            failed += 1
        elif after == _text_of(path):
            unchanged += 1
        else:
            changed += 1
            _carry_out(path, after, only_check=only_check, show_diff=show_diff)
    wrote_nothing = only_check or show_diff
    did = "would change" if wrote_nothing else "changed"
    output().print(f"{counted(changed, 'file')} {did}, {unchanged} left as they were")
    if failed:
        return int(Exit.CONFIGURATION)
    return int(Exit.FAILED if only_check and changed else Exit.DONE)


def _formatted(path: Path) -> str | None:
    """The file's text in the one layout, None when it has problems, which are told."""
    try:
        before = read_document(path)
        after = formatted(before)
        kept = same_meaning(before, read_text(after, path))
    except DocumentError as error:
        print_problems(error.problems)
        return None
    if not kept:
        message = f"{path} was left as it is: in the usual layout it would mean something else."
        click.echo(message, err=True)
        return None
    return after


def _text_of(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


def _carry_out(path: Path, text: str, *, only_check: bool, show_diff: bool) -> None:
    if show_diff:
        click.echo("".join(_difference(path, text)), nl=False)
    elif only_check:
        output().print(f"would change {safe(path)}")
    else:
        _replace(path, text)
        output().print(f"changed {safe(path)}")


def _difference(path: Path, text: str) -> Iterable[str]:
    before = _text_of(path).splitlines(keepends=True)
    yield from _ended(
        difflib.unified_diff(before, text.splitlines(keepends=True), str(path), f"{path} (fmt)")
    )


def _ended(lines: Iterable[str]) -> Iterator[str]:
    return (line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _replace(path: Path, text: str) -> None:
    """Write the whole file or none of it; its mode stays, and a link stays a link."""
    target = path.resolve()
    temporary = None
    try:
        mode = target.stat().st_mode
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        temporary = Path(name)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            os.fchmod(file.fileno(), mode & 0o7777)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise Stop(f"{path} can't be written: {error.strerror}.", Exit.FAILED) from None
