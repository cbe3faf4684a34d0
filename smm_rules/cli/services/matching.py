"""`smm-rules services match`: which services of several panels may be the same thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from smm_rules.cli.context import (
    asynchronous,
    config_option,
    find_configuration,
    json_option,
    read_configuration,
)
from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.naming import panels_of
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import counted, errors, output, print_json, print_problems, safe, seen_from_here
from smm_rules.cli.writing import write_for_owner
from smm_rules.config.model import Configuration
from smm_rules.document import DocumentError, Problem, Severity
from smm_rules.history.catalogues import currency_of, services
from smm_rules.ledger.sql.ledger import SqlLedger
from smm_rules.matching.equal import Member
from smm_rules.matching.file import CONFIRMED, PROPOSED, LoadedMapping, load_mapping
from smm_rules.matching.offered import Offered, catalogue_problems, offered
from smm_rules.matching.proposing import LEAST_SCORE, Proposal, propose
from smm_rules.matching.writing import new_file, with_more

#: Where the mapping is written when the configuration names none yet.
DEFAULT_FILE = "services.yaml"
_MANY = 200

_Catalogues = Mapping[str, Sequence[Offered]]


@click.command("match")
@click.option(
    "--output",
    "-o",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"The mapping file. Default: `services` of the configuration, else {DEFAULT_FILE} beside it.",
)
@click.option(
    "--at-least",
    "least",
    type=click.FloatRange(0, 1),
    default=LEAST_SCORE,
    show_default=True,
    help="How alike they must be, from 0 to 1.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=_MANY,
    show_default=True,
    help="At most so many, the surest first.",
)
@click.option("--dry-run", is_flag=True, help="Print what would be added instead of writing it.")
@click.option(
    "--check", "only_check", is_flag=True, help="Propose nothing: hold the mapping against the catalogues."
)
@config_option
@json_option
@asynchronous
async def match(
    path: Path | None,
    least: float,
    limit: int,
    dry_run: bool,
    only_check: bool,
    config_path: Path | None,
    as_json: bool,
) -> int:
    """Propose which services of several panels are the same thing, into a file that you edit and confirm.

    By the catalogues as they were read last: name, category, type and quantities. Nothing that is proposed
    has any effect until you write `state: confirmed`. Run it again when panels or catalogues changed: what
    you confirmed, refused or wrote stays as it is, and what is new is added at the end.

    \b
    With --check the exit code is 3 when a confirmed entry can't be right: a service of another type, or
    quantities that never fit.
    """
    configuration = read_configuration(config_path)
    file = _file(path, find_configuration(config_path), configuration)
    known = _known(file, configuration)
    async with open_existing(configuration) as ledger:
        catalogues = await _catalogues(ledger, panels_of(configuration))
        currencies = {panel: await currency_of(ledger, panel) for panel in catalogues}
    if only_check:
        return _check(known, catalogues, file)
    if len(catalogues) < 2:
        read = ", ".join(catalogues) or "none"
        raise Stop(f"There are no two panels whose catalogue has been read (read: {read}).")
    found = propose(catalogues, known, least)
    if as_json:
        print_json([_shape(proposal) for proposal in found[:limit]])
        return int(Exit.DONE)
    _write(file, known, found[:limit], currencies, dry_run=dry_run)
    if len(found) > limit:
        errors().print(f"{len(found) - limit} more are less sure; see --limit.")
    _tell_next(file, known, configuration)
    return int(Exit.DONE)


def _file(given: Path | None, config_path: Path, configuration: Configuration) -> Path:
    if given is not None:
        return given
    if configuration.services is not None:
        return seen_from_here(configuration.services)
    return seen_from_here(config_path.absolute().parent / DEFAULT_FILE)


def _known(file: Path, configuration: Configuration) -> LoadedMapping | None:
    return load_mapping(file, panels_of(configuration)) if file.exists() else None


async def _catalogues(ledger: SqlLedger, panels: Sequence[str]) -> dict[str, list[Offered]]:
    """What each panel offers now; those whose catalogue was never read are left out."""
    found: dict[str, list[Offered]] = {}
    for panel in panels:
        rows = [offered(panel, watched.facts) async for watched in services(ledger, panel)]
        if rows:
            found[panel] = [row for row in rows if not row.gone]
    return found


def _check(known: LoadedMapping | None, catalogues: _Catalogues, file: Path) -> int:
    if known is None:
        raise Stop(f"There is no mapping {file} yet; leave --check out to have one proposed.")
    rows: dict[Member, Offered] = {row.member: row for each in catalogues.values() for row in each}
    problems: list[Problem] = list(catalogue_problems(known, rows, catalogues))
    print_problems(problems)
    wrong = sum(problem.severity is Severity.ERROR for problem in problems)
    confirmed, waiting = (sum(1 for _ in known.entries(state)) for state in (CONFIRMED, PROPOSED))
    output().print(f"{confirmed} confirmed, {counted(len(problems), 'problem')}.")
    if waiting:
        output().print(f"{counted(waiting, 'proposal')} without your word yet, and so without effect.")
    return int(Exit.CONFIGURATION if wrong else Exit.DONE)


def _write(
    file: Path,
    known: LoadedMapping | None,
    found: Sequence[Proposal],
    currencies: Mapping[str, str | None],
    *,
    dry_run: bool,
) -> None:
    if not found:
        output().print("Nothing new is alike enough to be proposed.")
        return
    text = new_file(found, currencies) if known is None else with_more(known, found, currencies)
    if dry_run or text is None:
        click.echo(new_file(found, currencies), nl=False)
        if text is None:
            raise Stop(
                f"{file} isn't written one entry a line to its end, so nothing was added. Add what you want "
                "of the above by hand."
            )
        return
    _replace(file, text)
    output().print(f"{counted(len(found), 'proposal')} added to {safe(file)}.")


def _replace(file: Path, text: str) -> None:
    """Write the file whole or not at all: it has what the user decided."""
    if not file.exists():
        write_for_owner(file, text)
        return
    beside = file.with_name(f".{file.name}.new")
    beside.unlink(missing_ok=True)
    write_for_owner(beside, text)
    try:
        load_mapping(beside, None)
    except DocumentError as error:
        beside.unlink()
        raise Stop(f"{file} can't be added to, so it is as it was: {error.problems[0].message}.") from None
    beside.chmod(file.stat().st_mode & 0o7777)
    beside.replace(file)


def _tell_next(file: Path, known: LoadedMapping | None, configuration: Configuration) -> None:
    waiting = 0 if known is None else sum(1 for _ in known.entries(PROPOSED))
    if waiting:
        errors().print(f"{counted(waiting, 'proposal')} of before wait for your word.")
    if configuration.services is None and file.exists():
        errors().print(f"Then name it in the configuration: services: {safe(file.name)}")


def _shape(proposal: Proposal) -> dict[str, object]:
    return {
        "joins": proposal.joins,
        "score": round(proposal.score, 3),
        "reasons": list(proposal.reasons),
        "services": {row.member.panel: row.member.service for row in proposal.services},
    }
