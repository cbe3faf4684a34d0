"""`smm-rules schema`: JSON Schemas, for editors that complete and check rule files and configurations."""

from __future__ import annotations

from pathlib import Path

import click

from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.terminal import output, safe


@click.command("schema")
@click.argument("kind", type=click.Choice(["rules", "config", "services"]))
@click.option(
    "--output", "-o", "path", type=click.Path(path_type=Path, dir_okay=False), help="A file to write."
)
def command(kind: str, path: Path | None) -> None:
    """Print the JSON Schema of rule files, of the configuration or of a mapping of services.

    Name it in the first line of a file, and editors complete its keys and mark what is wrong:

    \b
      smm-rules schema rules --output rules.schema.json
      # yaml-language-server: $schema=rules.schema.json
    """
    from smm_rules.cli.json_schema.generate import schema_text  # late: it loads every model

    text = schema_text(kind)
    if path is None:
        click.echo(text, nl=False)
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Stop(f"{path} can't be written: {error.strerror}.", Exit.FAILED) from None
    output().print(f"wrote {safe(path)}")
