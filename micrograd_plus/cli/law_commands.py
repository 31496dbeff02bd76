"""The command that holds an engine to the laws of autograd: check-engine."""

from __future__ import annotations

import json
import sys

import click

from micrograd_plus.cli.exit_codes import BROKEN, DONE, WRONG
from micrograd_plus.cli.options import positive


class OfLaws(click.Command):
    """A command whose option --laws takes one name after the other, also those that begin with a minus."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the words apart: after --laws come names of laws, and the engine, if it was not said before."""
        from micrograd_plus.laws.table import LAWS

        known = {law.name for law in LAWS}
        words: list[str] = []
        naming = False
        for word in args:
            another = word.startswith("--") or ":" in word or word.endswith(".py")
            naming = word == "--laws" or (naming and (word in known or not another))
            words.append(f"--laws={word}" if naming and word != "--laws" else word)
        pairs = zip(words, [*words[1:], ""])
        named = [word for word, after in pairs if word != "--laws" or not after.startswith("--laws=")]
        return super().parse_args(ctx, named)


@click.command(
    "check-engine",
    cls=OfLaws,
    epilog="""\b
Examples:
  micrograd-plus check-engine my_engine.py:Value
  micrograd-plus check-engine my_package/engine.py:Value --json
  micrograd-plus check-engine my_engine.py --laws "a node used twice" relu
  micrograd-plus check-engine micrograd.engine:Value
  micrograd-plus check-engine micrograd_plus.engine:Value""",
)
@click.argument("engine", required=False, metavar="MODULE:CLASS")
@click.option("--laws", "names", multiple=True, metavar="NAME...", help="Try only these, by their names in the table.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON, for programs.")
@click.option(
    "--seconds",
    type=positive,
    default=10.0,
    show_default=True,
    metavar="N",
    help="How long a law may take; the import may take three times as long.",
)
def check_engine(engine: str | None, names: tuple[str, ...], as_json: bool, seconds: float) -> int:
    """Hold a scalar autograd engine to the laws of autograd.

    Takes any class with micrograd's interface: Value(data), .data, .grad, .backward() and + - * / **. Prints a table of
    the laws and, for each one broken, the smallest program that shows it, ready to be pasted; the first to mend comes
    first. MODULE is a file or what one would import, from the current folder or installed; the class may be left out if
    it is Value.

    The engine runs in a process of its own: one that hangs, leaves Python or crashes it fails the law at hand.

    The exit code is 0 when all laws hold, 1 when one is broken, 2 when there is no such engine.
    """
    if engine is None or not engine.partition(":")[0]:
        raise click.UsageError("which engine? Expected MODULE:CLASS, such as my_engine.py:Value")
    from micrograd_plus.laws import checking

    report = checking.check_engine(engine, laws=names or None, seconds=seconds)
    try:
        click.echo(json.dumps(report.as_dict(), indent=2) if as_json else str(report))
        sys.stdout.flush()
    except BrokenPipeError:  # a 1 would say that a law is broken
        sys.exit(WRONG)
    return DONE if report.holds else BROKEN
