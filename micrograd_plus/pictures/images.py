"""A drawn graph, which shows itself in Jupyter and saves itself."""

from __future__ import annotations

import html
import os
import re
import webbrowser
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from micrograd_plus._support.files import write_atomically
from micrograd_plus._support.markup import clean, scrolling
from micrograd_plus._support.texts import one_line, plural
from micrograd_plus.pictures.form import GREY, INK, SANS, SIZES, faded, in_the_dark
from micrograd_plus.pictures.rendering import FORMATS, Job, drawn_together, render
from micrograd_plus.pictures.stills import FOLLOWING, FOLLOWS, as_image, as_png

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title><style>
{style}</style></head>
<body><main><h1>{title}</h1>{picture}</main></body>
</html>
"""
SCREEN = 600  # pixels, of a phone; the result, in the middle of a picture's end, is out of sight in a higher one
WIDEST, DOTS = 16, 72  # inches of a PNG in a notebook, more than any sheet of paper has; pixels of each
_LOOK = f":root {{ color-scheme: light dark; }} body {{ margin: 1rem; }} h1 {{ font: {SIZES.large}px {SANS}; }}"
Texts = dict[str, list[str]]  # by the id of a node in the picture: what its lines of text tell


class Picture:
    """A drawn graph: it shows itself in Jupyter and saves itself.

    Attributes:
        source: the DOT text that Graphviz lays out.
        captions: what the picture says about itself, such as how it was folded.
        description: what is in it, in a sentence, for those who do not see it.
        timeout: how many seconds the layout may take.

    >>> import micrograd_plus as mp
    >>> x = mp.Value(3.0)
    >>> picture = mp.draw(x * x)
    >>> picture.captions
    ['gradients not computed yet: call backward()']
    >>> picture.svg.count("</svg>")
    1
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     picture.save(Path(folder, "square.dot"))
    ...     print(Path(folder, "square.dot").read_text()[:15])
    digraph "graph"
    """

    description = ""  # of a picture in an older pickle

    def __init__(
        self, source: str, texts: Texts, count: int, captions: Sequence[str], timeout: float, description: str = ""
    ) -> None:
        self.source = source
        self.description = description
        self.captions = list(captions)
        self.timeout = timeout
        self._texts = texts
        self._count = count

    @cached_property
    def svg(self) -> str:
        """The picture as SVG; each node and each edge in it has an id.

        Raises:
            RuntimeError: there is no Graphviz on this machine, or it fails.
            TimeoutError: the layout takes longer than `timeout`.
        """
        drawn = with_classes(self._rendered(self.source, "svg").decode(), self._texts)
        return _with_dark_boxes(drawn.replace("<svg ", f'<svg role="img" aria-label="{clean(self._told())}" ', 1))

    def _told(self) -> str:
        return self.description or repr(self)

    def _rendered(self, source: str, format: str) -> bytes:
        """What Graphviz draws; without the lines that keep the order, where it breaks down over them."""
        try:
            return render(source, format, timeout=self.timeout)
        except RuntimeError:
            plain = "\n".join([line for line in source.split("\n") if "style=invis" not in line])
            if plain == source:
                raise
            return render(plain, format, timeout=self.timeout)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file, whole or not at all: SVG, PNG or PDF, by the ending of its name; .dot or .gv for the source.

        Raises:
            ValueError: the ending is none of these.
            OSError: the file cannot be written; whatever was there is untouched.
            RuntimeError: there is no Graphviz on this machine, or it fails.
            TimeoutError: the layout takes longer than `timeout`.
        """
        ending = Path(os.fspath(path)).suffix.lower().removeprefix(".")
        if ending not in (*FORMATS, "dot", "gv"):
            raise ValueError(f"save({os.fspath(path)!r}): expected a name that ends in .svg, .png, .pdf or .dot")
        content: str | bytes
        if ending == "svg":
            content = self.svg
        elif ending in FORMATS:
            sharper = self.source.replace("{", "{\n\tgraph [dpi=144]", 1) if ending == "png" else self.source
            content = self._rendered(sharper, ending)
        else:
            content = self.source
        write_atomically(path, content)

    def view(self) -> Path:
        """Open the picture in the browser, as from a plain Python prompt, where nothing shows by itself.

        Returns:
            Where the page lies, in the folder for temporary files. Which browser it is, the variable BROWSER says.

        Raises:
            RuntimeError: there is no browser on this machine, or no Graphviz, or it fails.
            TimeoutError: the layout takes longer than `timeout`.

        >>> import micrograd_plus as mp
        >>> x = mp.Value(3.0)
        >>> import webbrowser
        >>> webbrowser.register("blind", None, webbrowser.GenericBrowser("true"), preferred=True)  # shows nothing
        >>> mp.draw(x * x).view().name
        'graph.html'
        """
        page = Path(mkdtemp(prefix="micrograd_plus-"), "graph.html")
        page.write_text(
            _PAGE.format(style=_LOOK, title=html.escape(repr(self)[1:-1]), picture=self._image(self.source)[0]),
            encoding="utf-8",
        )
        if not webbrowser.open(page.as_uri()):
            raise RuntimeError(f"no browser on this machine: the picture lies in {page}; save() puts it where you want")
        return page

    def _repr_html_(self) -> str:
        """An image, which viewers show in notebooks that they do not trust, too; below it, as text, the captions."""
        lines = "<br>".join([clean(caption) for caption in self.captions])
        below = f'<div style="font-size: {SIZES.note}px; opacity: .75">{lines}</div>' if lines else ""
        image, least, high = self._image(self._bare)
        at_result = "rankdir=LR" in self.source and high <= SCREEN
        return f"{FOLLOWING}{scrolling(image, least, end_first=at_result)}{below}"

    def _image(self, source: str) -> tuple[str, int, int]:
        """The picture as an image, and how many pixels it is wide and high at least."""
        svg = _with_dark_boxes(self._rendered(source, "svg").decode())
        size = re.search(r'<svg [^>]*?width="([\d.]+)pt" height="([\d.]+)pt"', svg)
        # smaller, no letter could be read
        least, high = [round(float(length) * 4 / 3 * 0.6) for length in size.groups()] if size else (0, 0)
        style = f"max-width:100%;min-width:{least}px;height:auto"
        return as_image(svg, self._told(), style, FOLLOWS), least, high

    @property
    def _bare(self) -> str:
        """Its DOT text for a notebook's HTML, where captions stand below it."""
        return self.source.replace(captions_line(self.captions), "", 1)

    @property
    def _fitting(self) -> str:
        """Its DOT text for a PNG in a notebook."""
        return self.source.replace("{", f'{{\n\tgraph [dpi={DOTS}, size="{WIDEST},{WIDEST}"]', 1)

    @property
    def _drawings(self) -> list[Job]:
        """What a notebook asks Graphviz for: DOT texts, each with its format."""
        return [(self._bare, "svg"), (self._fitting, "png")]

    def _paper(self) -> str:
        """The picture as a PNG in base64, for viewers that take no HTML; as wide as a page, if it were wider."""
        edges = [faded(INK, 0.6), faded(INK, 0.3), faded(GREY, 0.5)]  # of letters and lines
        colours = [INK, *edges, *re.findall(r"#[0-9a-f]{6}\b", self.source)]
        return as_png(render(self._fitting, "png", timeout=self.timeout), colours)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG002 - IPython's
        with drawn_together(self._drawings, timeout=self.timeout):
            try:
                bundle = {"text/html": self._repr_html_(), "text/plain": repr(self)}
            except (RuntimeError, TimeoutError) as error:
                return {"text/plain": f"{self!r}, not drawn: {error}"}
            with suppress(RuntimeError, TimeoutError):
                bundle["image/png"] = self._paper()
            return bundle

    def __repr__(self) -> str:
        return f"<Picture of {plural(self._count, 'node')}>"


def with_classes(svg: str, texts: Texts) -> str:
    """The SVG in which each line of a node's text has a class: `op`, `name`, `data` or `grad`."""

    def classed(node: re.Match[str]) -> str:
        classes = iter(texts.get(html.unescape(node[1]), ()))
        return re.sub(r"<text\b", lambda _: f'<text class="{next(classes, "text")}"', node[0])

    return re.sub(r'<g id="([^"]*)" class="node">.*?</g>', classed, svg, flags=re.DOTALL)


def _with_dark_boxes(svg: str) -> str:
    """The SVG whose boxes are dark where its viewer is."""
    style = f"<style>{in_the_dark(re.findall(r'#[0-9a-f]{6}', svg))}</style>"
    return re.sub(r"(<svg [^>]*>)", lambda head: head[1] + style, svg, count=1)


def captions_line(captions: Sequence[str]) -> str:
    """The line of DOT that writes captions below a graph; "" for none."""
    lines = "\n".join([quoted(one_line(caption, 300)).replace('"', '\\"') for caption in captions])
    return f'\tlabel="{lines}"\n' if captions else ""


def quoted(text: str) -> str:
    """With its backslashes doubled, for Graphviz takes some letters after one for names."""
    return text.replace("\\", "\\\\")
