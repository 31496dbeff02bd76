"""Let examples in docstrings be shown as code: what begins with >>>, up to the next empty line, without a fence."""

import re

from markdown import Markdown
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor


class Examples(Extension):
    """For the list of Markdown's extensions in mkdocs.yml."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Markdown's name for it
        """Register it, to run before fences are looked for."""
        md.preprocessors.register(_Fences(md), "examples", 100)


class _Fences(Preprocessor):
    def run(self, lines: list[str]) -> list[str]:
        out: list[str] = []
        fence, inside = "", False
        for line in [*lines, ""]:
            found = re.match(r"\s*(`{3,}|~{3,})", line)
            if inside and (found or not line.strip()):
                out.append("```")
                inside = False
            if found and (not fence or found[1].startswith(fence)):
                fence = "" if fence else found[1]
            elif not fence and not inside and line.startswith(">>> "):
                out.append("```pycon")
                inside = True
            out.append(line)
        return out
