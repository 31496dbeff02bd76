"""The command for the table of operations: ops."""

from __future__ import annotations

import click

from micrograd_plus.cli.exit_codes import DONE


@click.command(
    epilog="""\b
Examples:
  micrograd-plus ops
  micrograd-plus ops softplus"""
)
@click.argument("name", required=False)
def ops(name: str | None) -> int:
    """List the functions of the table, or say all about one.

    For one function: what it is, its rule in words, its derivatives, where it is defined, its LaTeX, NumPy's name for
    it, and an example.
    """
    from micrograd_plus.formulas import cards

    click.echo(cards.listing() if name is None else cards.card(name))
    return DONE
