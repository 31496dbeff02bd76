"""The command `micrograd-plus`: options in, a job run, errors as one line, or with the place marked."""

from __future__ import annotations

import errno
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING, Any, Literal, NoReturn, get_args

import click

from micrograd_plus._support.errors import unknown
from micrograd_plus._support.identities import Identities
from micrograd_plus.cli.expressions import ExpressionError, parse

if TYPE_CHECKING:
    from micrograd_plus.engine import Value

NAME = "micrograd-plus"
Edges = Literal["local", "contribution"]
BROKEN, STOPPED = 1, 130  # exit codes: an engine breaks a law; Ctrl-C


class Jobs(click.Group):
    """The commands, with a word for a mistyped one."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first argument names."""
        if not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise click.UsageError(str(unknown("command", args[0], self.commands)))
        return super().resolve_command(ctx, args)


def positive(text: str) -> float:
    """A finite number above 0."""
    with suppress(ValueError):
        if 0 < float(text) < inf:
            return float(text)
    raise click.BadParameter(f"{text!r}; expected a finite number above 0, such as 0.1")


def sizes(text: str) -> tuple[int, ...]:
    """Whole numbers of at least 1, between commas."""
    with suppress(ValueError):
        numbers = tuple(int(size) for size in text.split(","))
        if min(numbers) >= 1:
            return numbers
    raise click.BadParameter(f"{text!r}; expected the sizes of the hidden layers, such as 16,16")


def numbers(_: click.Context, option: click.Parameter, texts: tuple[str, ...]) -> dict[str, float]:
    """A number for each name, between commas: w=2,x=-3."""
    found: dict[str, float] = {}
    for text in ",".join(texts).split(",") if texts else ():
        name, _equals, data = [part.strip() for part in text.partition("=")]
        try:
            number = float(data)
        except ValueError:
            number = None
        if number is None or not name.isidentifier():
            raise click.BadParameter(f"{text!r}; expected name=number, such as w=2", param=option)
        if name in found:
            raise click.BadParameter(f"{text!r}; {name} is given twice", param=option)
        found[name] = number
    return found


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


OUT_HELP = "Folder for weights, history and picture; files of an earlier run in it are replaced once this one is over."


_option_eager = click.option(
    "--eager", is_flag=True, help="Build the graph of every example, instead of compiling it once: the same, slower."
)


def _option_out(default: str) -> Callable[[Any], Any]:
    free = f"  [default: the first of {default}, {default}-2, ... that is not there]"
    return click.option("--out", type=click.Path(), metavar="FOLDER", help=OUT_HELP + free)


@command.command(
    epilog="""\b
Examples:
  micrograd-plus digits
  micrograd-plus digits --textbook
  micrograd-plus digits --hidden 32 --lr 0.01 --epochs 5 --out wide
  micrograd-plus digits --mnist mnist
  micrograd-plus digits --mnist mnist --textbook --epochs 5

\b
The weights in Python:
  model = mp.MLP(64, [16, 16, 10], activation="silu")
  model.load("digits-run/weights.json")"""
)
@click.option(
    "--mnist",
    type=click.Path(),
    metavar="FOLDER",
    help="Learn from the MNIST files in this folder, and hold out MNIST's test images.",
)
@click.option("--download", is_flag=True, help="Fetch the MNIST files into that folder if it lacks them.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help="With --mnist: learn from the first N images only, and hold out the first N/2 test images.",
)
@click.option(
    "--textbook",
    is_flag=True,
    help="The recipe of the textbooks: sigmoid neurons, squared error, plain gradient descent at a rate of 3.0.",
)
@click.option("--epochs", type=click.IntRange(min=1), metavar="N", help="[default: 40, with --mnist 20; textbook: 10]")
@click.option(
    "--batch-size", type=click.IntRange(min=1), metavar="N", help="Images a step.  [default: 32; textbook: 10]"
)
@click.option(
    "--lr",
    type=positive,
    metavar="RATE",
    help="Learning rate at the start; it falls along a cosine to 0, in the textbook recipe in a straight line to a "
    "tenth.  [default with adam and adamw: 0.006; with sgd: 3.0 for squared_error, 30.0, 1.0 and 10.0 for the other "
    "losses; else PyTorch's]",
)
@click.option(
    "--optimizer",
    metavar="NAME",
    help="sgd, adagrad, rmsprop, adam, adamw, adadelta, nadam or radam.  [default: adamw; textbook: sgd]",
)
@click.option(
    "--loss",
    metavar="NAME",
    help="squared_error, mean_squared_error, cross_entropy or binary_cross_entropy_with_logits.  [default: "
    "cross_entropy; textbook: squared_error]",
)
@click.option("--hidden", type=sizes, default="16,16", show_default=True, metavar="SIZES", help="Hidden layers.")
@click.option(
    "--activation",
    metavar="NAME",
    help="Of the hidden layers: sigmoid, tanh, relu, gelu, ...  [default: silu; textbook: sigmoid]",
)
@click.option("--seed", type=int, default=2, show_default=True, metavar="N", help="Draws the weights and the batches.")
@_option_eager
@_option_out("digits-run")
def digits(**options: Any) -> int:
    """Learn to read handwritten digits.

    Trains a network on 1,437 of the 8x8 images that come with the package and tests it on the other 360, every fifth;
    or on MNIST's 60,000 and 10,000. Shows what it got right and wrong, and writes weights, settings, history and, with
    the plot extra, a picture to a folder. With most seeds it reads 96 to 97.5 % of the held-out digits.

    Ctrl-C stops after the running batch and saves what has been learnt; a second one stops at once.
    """
    if options["mnist"] is None and (options["limit"] or options["download"]):
        raise click.UsageError(f"{'--limit' if options['limit'] else '--download'} goes with --mnist FOLDER")
    from micrograd_plus.cli import jobs

    return 0 if jobs.digits(**options) else STOPPED


@command.command(
    epilog="""\b
Examples:
  micrograd-plus moons
  micrograd-plus moons --points 200 --noise 0.2 --steps 50"""
)
@click.option("--steps", type=click.IntRange(min=1), default=100, show_default=True, metavar="N")
@click.option("--points", type=click.IntRange(min=2), default=100, show_default=True, metavar="N")
@click.option(
    "--noise", type=float, default=0.1, show_default=True, metavar="NUMBER", help="How far points stray from the moons."
)
@click.option(
    "--seed", type=int, default=1337, show_default=True, metavar="N", help="Draws the points and the weights."
)
@_option_eager
@_option_out("moons-run")
def moons(**options: Any) -> int:
    """Tell two moons apart, as in micrograd's demo.

    Trains a network of 2-16-16-1 relu neurons with the hinge loss, L2 regularisation and a learning rate that falls
    from 1.0 to 0.1, all points in every step, and draws where it puts the boundary.
    """
    from micrograd_plus.cli import jobs

    return 0 if jobs.moons(**options) else STOPPED


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


@command.command(
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
    return 0


def _table(rows: Iterable[tuple[str, Value]], *, gradients: bool) -> str:
    """Values by name, and their gradients."""
    from micrograd_plus.formulas.numerals import short

    cells = [("", "value", "gradient"), *[(name, short(value.data), short(value.grad)) for name, value in rows]]
    columns: list[list[str]] = []
    for column in list(zip(*cells))[: 3 if gradients else 2]:
        width = max(map(len, column))
        columns.append([cell.rjust(width) if columns else cell.ljust(width) for cell in column])
    return "\n".join(["  ".join(row) for row in zip(*columns)])


@command.command(
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
    return 0


def _computed(root: Value, names: Mapping[Value, str]) -> list[str]:
    """How each node of a graph came by its value, a line each; of a long one the first and the last."""
    from micrograd_plus.engine import Value, apply, toposort
    from micrograd_plus.formulas.numerals import short
    from micrograd_plus.formulas.writing import formula

    lines = []
    for node in toposort(root):
        if node.op is not None:
            values = [arg for arg in node.args if isinstance(arg, Value)]
            named = Identities((arg, Value(arg.data, label=names[arg])) for arg in values)
            again = apply(node.op, *[named[arg] if isinstance(arg, Value) else arg for arg in node.args])
            lines.append(f"{names[node]} = {formula(again)} = {short(node.data)}")
    if len(lines) > 40:
        lines[20:-20] = [f"… ({len(lines) - 40:,} lines not shown)"]
    return lines


@command.command(
    epilog="""\b
Examples:
  micrograd-plus ops
  micrograd-plus ops softplus"""
)
@click.argument("name", required=False)
def ops(name: str | None) -> int:
    """List the functions of the table, or say all about one.

    For one function: what it is, its derivatives, where it is defined, its LaTeX, NumPy's name for it, and an example.
    """
    from micrograd_plus.formulas import cards

    click.echo(cards.listing() if name is None else cards.card(name))
    return 0


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


@command.command(
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
        sys.exit(2)
    return 0 if report.holds else BROKEN


def main(args: list[str] | None = None) -> NoReturn:
    """Run the command and leave.

    The exit code is 0 when all went well, 1 when an engine breaks a law, 2 with one line on stderr for an error (or
    three, where an expression cannot be read), and 130 after Ctrl-C.
    """
    closed = _open_standard_files()
    try:
        ended = command.main(args, prog_name=NAME, standalone_mode=False)
        sys.stdout.flush()
        code = _told("standard output is closed, so nothing could be shown") if closed else ended or 0
    except click.ClickException as error:
        path = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else NAME
        code = _told(f"{error.format_message()} (see {path} --help)")
    except (click.Abort, KeyboardInterrupt):
        code = _told("stopped by Ctrl-C", STOPPED)
    except OSError as error:
        places = [str(name) for name in (error.filename, error.strerror) if name]
        # whoever read our output may have enough of it
        code = 1 if error.errno == errno.EPIPE else _told(": ".join(places) or str(error))
    except ExpressionError as error:
        code = _told(str(error), lines=True)
    except MemoryError as error:
        code = _told(f"there is not enough memory; {error}" if str(error) else "there is not enough memory")
    except (ValueError, TypeError, ArithmeticError, ImportError, RuntimeError) as error:
        code = _told(str(error))
    _drop_unwritten()
    sys.exit(code)


def _told(problem: str, code: int = 2, *, lines: bool = False) -> int:
    with suppress(OSError):
        click.echo(f"{NAME}: {problem if lines else ' '.join(problem.split())}", err=True)
    return code


def _open_standard_files() -> bool:
    """Let what is closed lead nowhere, so that no file of ours takes its place; whether standard output was closed."""
    closed = sys.stdout is None
    with suppress(OSError):
        for standard in range(3):
            try:
                os.fstat(standard)
            except OSError:
                os.open(os.devnull, os.O_RDWR)  # it gets the least number that is free
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115 - for as long as the command runs
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that knows no ∂ gets a ?
    return closed


def _drop_unwritten() -> None:
    """What could not be written is dropped: Python would try again at its end, and change the exit code to 120."""
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
