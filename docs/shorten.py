"""Write the page's script once more in few letters, for notebooks, which keep it with every page that they show.

    python docs/shorten.py

Terser does it, which npx fetches; so Node.js is needed, but only where a script has been changed. Until then a notebook
gets the script as it is, without its comments. A test says whether the short one is up to date.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from micrograd_plus.stepping.page.assets import SHORT, digest, whole_scripts

TERSER = "terser@5.51.4"
# names that the page's other script calls, which is written for each graph, and those that tests ask for
KEPT = ("python", "special", "final", "gradients", "graph", "go", "leaves", "nodes", "view")


def main() -> None:
    whole = whole_scripts()
    file = Path(__file__).parent.parent / "micrograd_plus/stepping/page" / SHORT
    head = f"// {digest(chr(10).join(whole))}: made of the files beside this one by docs/shorten.py"
    file.write_text("\n".join([head, *map(shortened, whole), ""]), encoding="utf-8")


def shortened(script: str) -> str:
    """A script as one line."""
    kept = ",".join(KEPT)
    options = ["-c", f"passes=3,toplevel,top_retain=[{kept}]", "-m", f"toplevel,reserved=[{kept}]"]
    command = ["npx", "--yes", TERSER, *options]
    strict = f'"use strict";\n{script}'
    short = subprocess.run(command, input=strict, capture_output=True, text=True, check=True).stdout
    [line] = short.strip().removeprefix('"use strict";').splitlines()
    return line


if __name__ == "__main__":
    main()
