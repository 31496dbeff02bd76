"""Write the pages as plain Markdown, finished, with a mkdocs.yml that has no hooks: any generator can build these.

    python docs/sources.py OUT
    PYTHONPATH=docs:. zensical build --strict --config-file OUT/mkdocs.yml

Zensical, which is to follow Material for MkDocs, does; it needs `pip install zensical "mkdocstrings[python]"`, and
PYTHONPATH for fences.py, which finds the examples in docstrings.
"""

from __future__ import annotations

import argparse
import re
import shutil
from pathlib import Path

from pages import LESSONS, ROOT, finished, made

DOCS = ROOT / "docs"


def write(out: Path) -> None:
    """Make the folder: OUT/docs and OUT/mkdocs.yml."""
    written = [DOCS / "index.md", DOCS / "install.md", *DOCS.glob("how-to/*.md"), *DOCS.glob("reference/*.md")]
    pages = {file.relative_to(DOCS).as_posix(): file.read_text(encoding="utf-8") for file in written}
    for name, text in (pages | made()).items():
        file = out / "docs" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(finished(text, name) if file.suffix == ".md" else text, encoding="utf-8")
    for file in LESSONS.values():
        shutil.copy(file, out / "docs" / "lessons")
    for name in ("site.css", "site.js"):
        shutil.copy(DOCS / name, out / "docs")
    (out / "mkdocs.yml").write_text(plain((ROOT / "mkdocs.yml").read_text(encoding="utf-8")), encoding="utf-8")


def plain(config: str) -> str:
    """mkdocs.yml without what only MkDocs knows: hooks, and which files of the folder are no pages."""
    config = re.sub(r"^(?:hooks|watch): .*\n|^exclude_docs: .*\n(?:  .*\n)+", "", config, flags=re.MULTILINE)
    return config.replace("pymdownx.superfences]", "pymdownx.superfences, fences:Examples]")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write the pages as plain Markdown, finished.")
    parser.add_argument("out", type=Path, help="the folder to make")
    write(parser.parse_args().out)
