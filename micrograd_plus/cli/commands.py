"""The command `micrograd-plus` and its subcommands."""

from __future__ import annotations

import click

from micrograd_plus._support.errors import unknown
from micrograd_plus.cli.graph_commands import draw, step
from micrograd_plus.cli.law_commands import check_engine
from micrograd_plus.cli.table_commands import ops
from micrograd_plus.cli.training_commands import digits, moons

NAME = "micrograd-plus"


class Jobs(click.Group):
    """The commands, with a word for a mistyped one."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first argument names."""
        if not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise click.UsageError(str(unknown("command", args[0], self.commands)))
        return super().resolve_command(ctx, args)


HELP = """Train small neural networks, and see how, one scalar operation at a time.

\b
micrograd-plus digits         learn to read handwriting, in a few seconds
micrograd-plus moons          tell two moons apart, as in micrograd's demo
micrograd-plus draw           picture the graph of an expression
micrograd-plus step           walk back through it with the chain rule
micrograd-plus ops            list the functions, or say all about one
micrograd-plus check-engine   hold your own engine to the laws of autograd
micrograd-plus digits --help  say what can be set
"""


@click.group(
    cls=Jobs,
    help=HELP,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)
@click.version_option(package_name=NAME, prog_name=NAME)
@click.pass_context
def command(ctx: click.Context) -> None:
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


for each in (digits, moons, draw, step, ops, check_engine):
    command.add_command(each)
