r"""Write an expression in LaTeX, the way of books: \frac{4 \tanh\left(x\right)^{2}}{y + 1}."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from micrograd_plus.engine.operations import TABLE, Op
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.expressions import Expression
from micrograd_plus.formulas.latex_names import latex_name
from micrograd_plus.formulas.numerals import short
from micrograd_plus.formulas.signs import as_chains, conditions_of
from micrograd_plus.formulas.text import ATOM, CALL, POWER, SIGN, SUM, TIMES, TextWriter

LONGEST = 9  # characters of a number that is written with all of its digits; else six of them


class LatexWriter(TextWriter):
    """Writes expressions in LaTeX, each operation by the template that its row holds in the column `latex`."""

    def call(self, op: Op, expression: Expression) -> tuple[str, int]:
        """An operation, by its row's template."""
        if op is TABLE["where"]:
            return self.cases(*expression.args), 0
        values = (*expression.args, *[Expression(value) for _, value in expression.options])
        changed = [i for i, (name, value) in enumerate(expression.options, 1) if value != op.options[name]]
        last = len(expression.args) + max(changed, default=0)
        text = ""
        for piece in _pieces(op.latex, op.precedence):
            if isinstance(piece, str):
                text += piece
            elif piece.index >= last and text.endswith(", "):
                text = text.removesuffix(", ")  # an option that has its default
            else:
                written = self.write(values[piece.index], piece.need)
                if piece.unsigned and written.startswith("-"):
                    plus = text.endswith("+ ")  # 1 + (-x) is 1 - x
                    text, written = (text[:-2] + "- ", written[1:]) if plus else (text, self.grouped(written))
                text += written
        if op.precedence == 0:
            return rf"\left[{text}\right]", ATOM  # Iverson's bracket: 1 where it holds, else 0
        return text, SIGN if op.latex.startswith(r"\frac") else op.precedence

    def cases(self, condition: Expression, x: Expression, y: Expression) -> str:
        """What `where` chooses from: x if the condition holds, y otherwise."""
        conditions = conditions_of(condition)
        test = r" \text{ and } ".join(map(self.test, as_chains(conditions)))
        if not conditions:
            test = rf"{self.write(condition, SUM)} \ne 0"
        first, second = self.write(x), self.write(y)
        return rf"\begin{{cases}} {first} & \text{{if }} {test} \\ {second} & \text{{otherwise}} \end{{cases}}"

    def test(self, comparison: Expression) -> str:
        """A comparison as a condition, without brackets."""
        return self.write(comparison).removeprefix(r"\left[").removesuffix(r"\right]")

    def product(self, factors: tuple[Expression, ...], negative: bool = False) -> str:  # noqa: ARG002 - as in text
        return self.times([self.write(factor, TIMES if factor.is_number else SIGN) for factor in factors])

    def grouped(self, text: str) -> str:
        return rf"\left({text}\right)"

    def name(self, node: Value) -> str:
        return latex_name(self.names[node])

    def number(self, number: float) -> tuple[str, int]:
        text = super().number(number)[0]
        if len(text) > LONGEST and not number.is_integer():
            text = short(number).removesuffix(".0")
        text, _, exponent = text.partition("e")
        if not exponent:
            return {"inf": r"\infty", "nan": r"\mathrm{nan}"}.get(text, text), ATOM
        power = f"10^{{{int(exponent)}}}"
        return (power, POWER) if text == "1" else (rf"{text} \cdot {power}", TIMES)

    def signed(self, negative: bool, text: str, precedence: int) -> tuple[str, int]:
        return (f"-{text}", SUM) if negative else (text, precedence)

    def times(self, factors: list[str]) -> str:
        first, second, *_ = factors
        close = first[0].isdigit() and not second[0].isdigit() and not second.startswith(r"\frac")
        return (" " if close else r" \cdot ").join([first, r" \cdot ".join(factors[1:])])

    def fraction(self, negative: bool, above: tuple[Expression, ...], below: tuple[Expression, ...]) -> tuple[str, int]:
        top, bottom = [self.write(part[0]) if len(part) == 1 else self.product(part) for part in (above, below)]
        return self.signed(negative, rf"\frac{{{top}}}{{{bottom}}}", SIGN)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an argument stands in a template."""

    index: int
    need: int  # how tightly it must bind
    unsigned: bool  # whether a minus before it asks for parentheses


@lru_cache
def _pieces(template: str, precedence: int) -> list[str | _Place]:
    """A template taken apart. An argument between delimiters needs no parentheses of its own."""
    pieces: list[str | _Place] = []
    end = 0
    for match in re.finditer(r"#(\d)", template):
        before, after = template[: match.start()].rstrip(), template[match.end() :].lstrip()
        opened = before.endswith(("{", "(", "[", "|", ",", "&", r"\lfloor", r"\lceil"))
        closed = after.startswith(("}", ")", "]", "|", ",", "&", r"\right"))
        binding = min(precedence, CALL - 1)
        need = binding + 1 if before else max(binding, SUM)
        if after.startswith("^") or (opened and after.startswith("}^")):
            need = POWER + 1
        elif opened and closed:
            need = 0
        elif precedence == CALL and (before.endswith("+") or after.startswith("+")):
            need = SUM
        pieces += [template[end : match.start()], _Place(int(match[1]) - 1, need, bool(before and need and precedence))]
        end = match.end()
    return [*pieces, template[end:]]
