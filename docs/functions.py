"""The page of the table of functions, made from its rows: formulas as MathML, which browsers draw by themselves."""

import re
from html import escape

from latex2mathml.converter import convert
from plots import called, plot

from micrograd_plus.formulas import Formula
from micrograd_plus.formulas.cards import row
from micrograd_plus.ops.rows import FUNCTIONS

_PARTIAL = r"\frac{\partial}{\partial %s}:\ "
_PRIME = "<msup>(<mi>.</mi>)<mi>(&#x0203[23];)</mi></msup>"  # its sign is raised by itself, as an exponent twice
_BARE = "(?<!<msup>)(?<!<msub>)(<mi>[a-z]{2,}</mi>)(?=<m[insf])"  # a function's name, and no bracket after it
INTRODUCTION = """---
hide: [toc]
---

# The functions

Each row of the table in `micrograd_plus/ops/table.py` is a function that takes numbers, lists, arrays and Values, and a
method of `Value`: `mp.tanh(x)`, `x.tanh()`. This page is made from the rows. In a plot, the
function is the full line, its derivative the broken one; kinks and poles are dotted, with a point for the value and for
the derivative there. The domain is where it is defined and
smooth, but for kinks: its ends, and what lies beyond, may have a value, too (-8 to the power 3); else that is `nan`.
Under the derivatives stands the rule in words, as the stepper shows it. At a kink, where the slope jumps, the
derivative is the one that PyTorch gives; at a pole it is infinite or `nan`. The same for one function, in a terminal:
`micrograd-plus ops tanh`.
"""


def table() -> str:
    """The table of functions as Markdown, its formulas as MathML."""
    lines = ["| function | formula | derivative | domain | kinks |", "|---|---|---|---|---|"]
    for name in FUNCTIONS:
        told = row(name)
        what = told.what.replace("|", "\\|")
        slopes = [_slope(by if len(told.derivatives) > 1 else "", slope) for by, slope in told.derivatives]
        slopes.append(f"<em>{escape(told.rule, quote=False).replace('|', '&#124;')}</em>")
        drawn = f"{plot(name)}<br>`{called(name)}`"
        cells = [
            f"`{told.usage}`<br>{what}<br>{drawn}",
            math(told.formula.latex),
            "<br>".join(slopes),
            told.domain,
            told.kinks,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([INTRODUCTION, '<div class="functions" markdown>\n', *lines, "\n</div>\n"])


def _slope(by: str, slope: Formula) -> str:
    """A derivative; as text where it is so long that its parts have names."""
    if "\n" in slope.text:
        text = "<br>".join([escape(line).replace("|", "&#124;") for line in slope.text.splitlines()])
        return f"{math(_PARTIAL % by) if by else ''}<code>{text}</code>"
    return math((_PARTIAL % by if by else "") + slope.latex)


def math(latex: str, display: str = "inline") -> str:
    """LaTeX as MathML, which browsers draw by themselves; on one line, and fit for a table."""
    upright = re.sub(r"\\operatorname\{([^}]*[\d_][^}]*)\}", r"\\mathrm{\1}", latex)  # else digits end the name
    written = " ".join(convert(upright, display=display).split()).replace("|", "&#124;")
    written = re.sub(_PRIME, r"<mrow>\1<mo>\2</mo></mrow>", written)
    return re.sub(_BARE, r'\1<mspace width="0.17em"/>', written)
