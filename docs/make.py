"""Make the whole site: the documentation and the playground, a folder of static files.

    python docs/make.py OUT

It takes `pip install -e '.[docs]'`, and for the playground Node.js 18 or newer with npm. Any web server shows the
folder, in any folder of it, such as `python -m http.server --directory OUT`; no page fetches anything from elsewhere.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def build(out: Path) -> None:
    """Make the folder, in the place of what was there."""
    environment = os.environ | {"MICROGRAD_PLUS_WITH_PLAYGROUND": "1", "NO_MKDOCS_2_WARNING": "1"}
    pages = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(out)]
    playground = [sys.executable, str(HERE / "playground" / "build.py"), str(out / "playground")]
    for command in (pages, playground):
        done = subprocess.run(command, cwd=HERE.parent, env=environment, check=False)
        if done.returncode:
            raise SystemExit(done.returncode)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Make the documentation with the playground, a folder of static files."
    )
    parser.add_argument("out", type=Path, help="the folder to make; what is there is replaced")
    out: Path = parser.parse_args().out.resolve()
    if out.exists() and any(out.iterdir()) and not (out / "sitemap.xml").exists():
        raise SystemExit(f"{out}: there is something else; name a folder that is new, empty, or a site")
    build(out)


if __name__ == "__main__":
    main()
