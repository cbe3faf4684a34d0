"""A group of commands: what each is for in a whole sentence, and a suggestion for one that was mistyped."""

from __future__ import annotations

import click

#: Longer than any first sentence: it is wrapped below its command, not cut off.
WHOLE_SENTENCE = 400


class Group(click.Group):
    """click's group, which lists its commands in full and knows what was meant."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List each command with the first sentence of its help."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, command.get_short_help_str(WHOLE_SENTENCE)) for name, command in found if command]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; one that doesn't exist is wrong use, with the nearest that does."""
        name = args[0]
        if name.startswith("-") or self.get_command(ctx, name) is not None:
            return super().resolve_command(ctx, args)
        from smm_rules.document import did_you_mean  # late: only a mistyped command needs it

        meant = did_you_mean(name, self.list_commands(ctx))
        told = f'There is no command "{name}".'
        raise click.UsageError(f"{told} {meant}" if meant else told, ctx)
