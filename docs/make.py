"""Make the whole site: the documentation, the playground and the lessons to run, a folder of static files.

    python docs/make.py OUT

It takes `pip install -e '.[docs]'`, and for the playground Node.js 18 or newer with npm. Any web server shows the
folder, in any folder of it, such as `python -m http.server --directory OUT`; no page fetches anything from elsewhere.
With Pyodide's own distribution, which no registry has, all lessons run: `--pyodide-packages DIR`, where it is unpacked.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def build(out: Path, distribution: Path | None = None) -> None:
    """Make the folder, in the place of what was there; Pyodide's own distribution is unpacked in `distribution`."""
    environment = os.environ | {"MICROGRAD_PLUS_WITH_PLAYGROUND": "1", "NO_MKDOCS_2_WARNING": "1"}
    given = []
    if distribution is not None:
        environment["MICROGRAD_PLUS_WITH_NUMPY"] = "1"
        given = ["--pyodide-packages", str(distribution)]
    pages = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(out)]
    playground = [sys.executable, str(HERE / "playground" / "build.py"), str(out / "playground")]
    playground += ["--wheels", str(out / "wheels")]
    lite = [sys.executable, str(HERE / "lite.py"), str(out / "lite"), str(out / "playground"), *given]
    for command in (pages, playground, lite):
        done = subprocess.run(command, cwd=HERE.parent, env=environment, check=False)
        if done.returncode:
            raise SystemExit(done.returncode)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Make the documentation, the playground and the lessons to run, a folder of static files."
    )
    parser.add_argument("out", type=Path, help="the folder to make; what is there is replaced")
    parser.add_argument("--pyodide-packages", type=Path, metavar="DIR", help="Pyodide's own distribution, unpacked")
    given = parser.parse_args()
    out: Path = given.out.resolve()
    if out.exists() and any(out.iterdir()) and not (out / "sitemap.xml").exists():
        raise SystemExit(f"{out}: there is something else; name a folder that is new, empty, or a site")
    build(out, given.pyodide_packages and given.pyodide_packages.resolve())


if __name__ == "__main__":
    main()
