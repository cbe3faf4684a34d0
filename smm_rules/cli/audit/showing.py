"""`smm-rules audit show`: one decision with the facts and the rule's text it was made by."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from smm_rules.cli.audit.listing import entry_shape
from smm_rules.cli.audit.words import sentence
from smm_rules.cli.context import asynchronous, config_option, json_option, read_configuration
from smm_rules.cli.exits import Stop
from smm_rules.cli.pairs import print_pairs
from smm_rules.cli.shapes import moment
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import output, plain, print_json, safe, safe_line
from smm_rules.ledger.audit import AuditEntry, AuditKind, AuditQuery
from smm_rules.ledger.sql.ledger import SqlLedger

_MANY = 2_000


@click.command("show")
@click.argument("entry_id", metavar="ENTRY", type=click.IntRange(min=1))
@config_option
@json_option
@asynchronous
async def show(entry_id: int, config_path: Path | None, as_json: bool) -> None:
    """Show one entry whole; for a decision of a rule, with the rule's text as it was in force then."""
    configuration = read_configuration(config_path)
    async with open_existing(configuration) as ledger:
        entry = await ledger.audit_entry(entry_id)
        if entry is None:
            raise Stop(f"The record has no entry {entry_id}; see: smm-rules audit list")
        texts = await _texts(ledger, entry)
    if as_json:
        print_json({**entry_shape(entry), "rule_texts": texts})
        return
    output().print(f"[bold]Entry {entry.id}[/]: {safe(sentence(entry))}")
    told = {"at": moment(entry.at), "by": entry.by, "about": entry.subject}
    print_pairs({**told, **_pairs(entry.data), "hash": entry.hash})
    for rule, text in texts.items():
        output().print(f"\n[bold]Rule {safe(rule)}[/], as written then:")
        for line in text.splitlines():
            output().print(safe_line(line))


async def _texts(ledger: SqlLedger, entry: AuditEntry) -> dict[str, str]:
    """The rules' texts by name: the firing rule's, or those that a set in force brought."""
    if entry.kind == AuditKind.RULES:
        in_force = entry.data["in_force"]
        assert isinstance(in_force, dict)
        news = {*_listed(entry, "added"), *_listed(entry, "changed")}
        wanted = {rule: versions for rule, versions in in_force.items() if rule in news}
    elif entry.kind == AuditKind.FIRING:
        wanted = await _in_force(ledger, entry)
    else:
        return {}
    found = {rule: await ledger.rule_text(rule, *versions) for rule, versions in wanted.items()}
    return {rule: text for rule, text in found.items() if text is not None}


async def _in_force(ledger: SqlLedger, entry: AuditEntry) -> dict[str, list[str]]:
    """The firing rule's version, with the digest of its text in the set in force before the firing."""
    rule, version = str(entry.data["rule"]), str(entry.data["rule_version"])
    sets = await ledger.audit_page(AuditQuery(kinds=(AuditKind.RULES.value,)), 0, _MANY)
    for one in reversed([one for one in sets if one.id < entry.id]):
        in_force = one.data["in_force"]
        if isinstance(in_force, dict) and in_force.get(rule, [""])[0] == version:
            return {rule: in_force[rule]}
    return {rule: [version]}


def _listed(entry: AuditEntry, name: str) -> list[str]:
    names = entry.data.get(name)
    return names if isinstance(names, list) else []


def _pairs(data: Mapping[str, object]) -> dict[str, str]:
    """The data as lines: a mapping's entries one below the other."""
    pairs: dict[str, str] = {}
    for name, value in data.items():
        if isinstance(value, Mapping):
            pairs[name] = "\n".join(f"{key}: {plain(item)}" for key, item in value.items())
        elif value not in (None, "", []):
            pairs[name] = str(plain(value))
    return pairs
