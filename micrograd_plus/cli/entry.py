"""Run the command: its exit code, errors as one line, and a standard output that may be closed."""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress
from typing import NoReturn

import click

from micrograd_plus.cli.commands import NAME, command
from micrograd_plus.cli.exit_codes import STOPPED, WRONG
from micrograd_plus.cli.expressions import ExpressionError


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
        # a reader that closes our output early, such as head, is told nothing
        code = 1 if error.errno == errno.EPIPE else _told(": ".join(places) or str(error))
    except ExpressionError as error:
        code = _told(str(error), lines=True)
    except MemoryError as error:
        code = _told(f"there is not enough memory; {error}" if str(error) else "there is not enough memory")
    except (ValueError, TypeError, ArithmeticError, ImportError, RuntimeError) as error:
        code = _told(str(error))
    _drop_unwritten()
    sys.exit(code)


def _told(problem: str, code: int = WRONG, *, lines: bool = False) -> int:
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
