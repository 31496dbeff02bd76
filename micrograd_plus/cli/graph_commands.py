"""The commands for the graph of an expression: draw, step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal, get_args

import click

from micrograd_plus._support.identities import Identities
from micrograd_plus._support.texts import abridge
from micrograd_plus.cli.exit_codes import DONE
from micrograd_plus.cli.expressions import parse
from micrograd_plus.cli.options import numbers

if TYPE_CHECKING:
    from micrograd_plus.engine.value import Value

Edges = Literal["local", "contribution"]


class OfExpression(click.Command):
    """A command whose argument is an expression, which may begin with a minus."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the words apart."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if error.option_name.startswith("--"):
                raise
            hint = "if it begins your expression, write -- before that"
            raise click.UsageError(f"{error.format_message()}; {hint}", ctx) from error


EXPRESSIONS = """\b
Expressions:
  Made of names, numbers, + - * / % ** and functions such as relu(x), which
  micrograd-plus ops lists. They are read, never run as Python.
  One that begins with a minus comes last, after two: --at x=2 -- "-x**2"
"""

_argument_expression = click.argument("expression")
_option_at = click.option(
    "--at",
    multiple=True,
    callback=numbers,
    metavar="NAME=NUMBER,...",
    help="A number for each name in the expression; may be given several times.",
)


@click.command(
    cls=OfExpression,
    epilog=f"""\b
Examples:
  micrograd-plus draw "relu(w*x + b)" --at w=2,x=-3,b=10
  micrograd-plus draw "tanh(w*x)" --at w=0.5,x=2 --edges local -o tanh.png

{EXPRESSIONS}""",
)
@_argument_expression
@_option_at
@click.option(
    "-o",
    "--out",
    type=click.Path(),
    default="graph.svg",
    show_default=True,
    metavar="FILE",
    help="An .svg, .png, .pdf or .dot file; if it is there, it is replaced.",
)
@click.option(
    "--edges",
    type=click.Choice(get_args(Edges)),
    help="Write the local derivative at each edge, or what passes along it.",
)
@click.option(
    "--nearest",
    type=click.IntRange(min=1),
    metavar="N",
    help="Draw only the N nodes nearest to the result of a large one.",
)
@click.option("--no-backward", is_flag=True, help="Leave out the backward pass: values, no gradients.")
def draw(
    expression: str, at: dict[str, float], out: str, edges: Edges | None, nearest: int | None, no_backward: bool
) -> int:
    """Picture the graph of an expression.

    Each node shows its value and, after a backward pass, its gradient. Prints both for the names and the whole, too.
    """
    if no_backward and edges == "contribution":
        raise click.UsageError("--edges contribution shows what --no-backward leaves out; drop one of them")
    root, leaves = parse(expression, at)
    from micrograd_plus.pictures import drawing

    if not no_backward:
        root.backward()
    drawing.draw(root, names={}, edges=edges, nearest=nearest).save(out)
    whole = expression if len(expression) <= 40 and expression.isprintable() else "the whole"
    click.echo(_table([*leaves.items(), (whole, root)], gradients=not no_backward))
    click.echo(f"\nThe picture is in {out}")
    return DONE


def _table(rows: Iterable[tuple[str, Value]], *, gradients: bool) -> str:
    """Values by name, and their gradients."""
    from micrograd_plus.formulas.numerals import short

    cells = [("", "value", "gradient"), *[(name, short(value.data), short(value.grad)) for name, value in rows]]
    columns: list[list[str]] = []
    for column in list(zip(*cells))[: 3 if gradients else 2]:
        width = max(map(len, column))
        columns.append([cell.rjust(width) if columns else cell.ljust(width) for cell in column])
    return "\n".join(["  ".join(row) for row in zip(*columns)])


@click.command(
    cls=OfExpression,
    epilog=f"""\b
Examples:
  micrograd-plus step "relu(w*x + b)" --at w=2,x=-3,b=10
  micrograd-plus step "x*x + sin(x)" --at x=3 -o page.html
  micrograd-plus step "x*x + sin(x)" --at x=3 -o film.svg

{EXPRESSIONS}""",
)
@_argument_expression
@_option_at
@click.option(
    "-o",
    "--out",
    type=click.Path(),
    metavar="FILE",
    help="An .html file for a page that steps through the graph, also offline, or an .svg file for a film of it; if it "
    "is there, it is replaced.",
)
def step(expression: str, at: dict[str, float], out: str | None) -> int:
    """Walk back through an expression, one use of the chain rule at a time.

    Prints the values as they are computed, then each step of the backward pass in its order: which derivative grows, by
    what, and why. L is the whole.
    """
    root, _ = parse(expression, at)
    from micrograd_plus.stepping import stepper

    steps = stepper.backprop(root)
    if out is not None:
        steps.save(out)
    computed = _computed(root, steps.names)
    click.echo("\n".join([*computed, "", str(steps)] if computed else [str(steps)]))
    if out is not None:
        click.echo(f"\nThe {'film' if out.lower().endswith('.svg') else 'page'} is in {out}")
    return DONE


def _computed(root: Value, names: Mapping[Value, str]) -> list[str]:
    """How each node of a graph came by its value, a line each; of a long one the first and the last."""
    from micrograd_plus.engine.value import Value, apply
    from micrograd_plus.engine.walking import toposort
    from micrograd_plus.formulas.numerals import short
    from micrograd_plus.formulas.writing import formula

    lines = []
    for node in toposort(root):
        if node.op is not None:
            values = [arg for arg in node.args if isinstance(arg, Value)]
            named = Identities((arg, Value(arg.data, label=names[arg])) for arg in values)
            again = apply(node.op, *[named[arg] if isinstance(arg, Value) else arg for arg in node.args])
            lines.append(f"{names[node]} = {formula(again)} = {short(node.data)}")
    return abridge(lines, 40, "lines")
