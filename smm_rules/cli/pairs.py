"""Names and values below each other."""

from __future__ import annotations

from collections.abc import Mapping

from smm_rules.cli.terminal import new_table, print_table, safe


def print_pairs(pairs: Mapping[str, str]) -> None:
    """The pairs on standard output, those without a value left out; several lines stay several."""
    table = new_table("", "")
    table.show_header = False
    for name, value in pairs.items():
        if value:
            table.add_row(f"  {safe(name)}", "\n".join(safe(line) for line in value.splitlines()))
    print_table(table)
