"""Write the page's script once more in few letters, for notebooks, which keep it with every page that they show.

    python docs/shorten.py

Terser does it, which npx fetches; so Node.js is needed, but only where a script has been changed. Until then a notebook
gets the script as it is, without its comments. A test says whether the short one is up to date.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from micrograd_plus.stepping.page.assets import SHORT, digest, page_script

TERSER = "terser@5.51.4"
# names that the page's other script calls, which is written for each graph, and those that tests ask for
KEPT = ("python", "special", "final", "gradients", "graph", "go", "leaves", "nodes", "view")


def main() -> None:
    whole, kept = page_script(), ",".join(KEPT)
    options = ["-c", f"passes=3,toplevel,top_retain=[{kept}]", "-m", f"toplevel,reserved=[{kept}]"]
    command = ["npx", "--yes", TERSER, *options]
    short = subprocess.run(command, input=f'"use strict";\n{whole}', capture_output=True, text=True, check=True).stdout
    file = Path(__file__).parent.parent / "micrograd_plus/stepping/page" / SHORT
    body = short.strip().removeprefix('"use strict";')
    file.write_text(
        f"// {digest(whole)}: made of the files beside this one by docs/shorten.py\n{body}\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
