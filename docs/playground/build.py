"""Make the playground: a folder of static files, from the packages named in package-lock.json and requirements.txt.

    python docs/playground/build.py OUT [--wheels DIR]

It takes Node.js 18 or newer with npm, the registries of npm and of PyPI, and nothing else. Any web server then shows
the folder, such as `python -m http.server --directory OUT`; nothing that the page fetches lies elsewhere.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from micrograd_plus.pictures.form import css

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SOURCES = HERE / "src"
PYODIDE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
ARCHIVES = {  # which wheels go into which archive; all others, and the package itself, into python.zip
    "formulas.zip": ("latex2mathml",),  # what is not needed for the first picture
    "laws.zip": ("hypothesis", "sortedcontainers"),  # fetched when laws are asked for
}
_NOTE = "# micrograd_plus's playground: see docs/playground\n"


def build(out: Path, apart: Path | None = None) -> None:
    """Make the folder, in the place of what was there; and, where wanted, one of the wheels that are in it."""
    with TemporaryDirectory(prefix="micrograd_plus-playground-") as folder:
        work = Path(folder)
        modules = npm(work)
        made = work / "made"
        (made / "pyodide").mkdir(parents=True)
        for name in PYODIDE:
            shutil.copy(modules / "pyodide" / name, made / "pyodide")
        lock = json.loads((modules / "pyodide" / "pyodide-lock.json").read_text(encoding="utf-8"))
        (made / "pyodide" / "lock.json").write_text(json.dumps(lock | {"packages": {}}), encoding="utf-8")
        shutil.copy(modules / "@hpcc-js" / "wasm-graphviz" / "dist" / "index.js", made / "graphviz.js")
        _strip_map(made / "graphviz.js")
        for name in ("worker.js", "frame.html", "icon.svg"):
            shutil.copy(SOURCES / name, made)
        _bundle(work, made)
        archives(work, modules, made)
        index = (SOURCES / "index.html").read_text(encoding="utf-8")
        listed = json.dumps(examples(), ensure_ascii=False).replace("<", "\\u003c")
        (made / "index.html").write_text(index.replace("/*examples*/", listed), encoding="utf-8")
        _licences(modules, work / "wheels", made)
        _service(made)
        if out.exists():
            shutil.rmtree(out)
        shutil.copytree(made, out)
        if apart is not None:
            shutil.rmtree(apart, ignore_errors=True)
            apart.mkdir(parents=True)
            for wheel in (work / "wheels").glob("*.whl"):
                shutil.copy(wheel, apart)


def npm(work: Path) -> Path:
    """The packages of package-lock.json, each held to its hash; none of their scripts runs."""
    if shutil.which("npm") is None:
        raise SystemExit("the playground is made with Node.js and npm: install them (apt install nodejs npm)")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, work)
    _run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", "--prefer-offline"], work)
    return work / "node_modules"


def examples() -> list[dict[str, str]]:
    """The examples of the menu: their names, titles and code."""
    found = []
    for file in sorted((HERE / "examples").glob("*.py")):
        title, _, code = file.read_text(encoding="utf-8").partition("\n")
        found.append({"name": file.stem, "title": title.removeprefix("# "), "code": code.rstrip() + "\n"})
    return found


def wheels(folder: Path, requirements: Sequence[Path]) -> None:
    """The package as a wheel without anything native, and the wheels it needs, each held to its hash."""
    source = folder / "source"
    ignored = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd", "*.c", "*.h")
    shutil.copytree(ROOT / "micrograd_plus", source / "micrograd_plus", ignore=ignored)
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    into = ["--wheel-dir", str(folder / "wheels")]
    _run([*pip, "wheel", "--no-deps", *into, str(source)], folder, {"MICROGRAD_PLUS_PURE": "1"})
    for each in requirements:
        pure = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--requirement", str(each)]
        _run([*pip, "download", "--dest", str(folder / "wheels"), *pure], folder)


def archives(work: Path, modules: Path, made: Path) -> None:
    """What Python is given, its own library too, compiled by the very Python that will run it, for a quick start."""
    wheels(work, [HERE / "requirements.txt"])
    shutil.copy(HERE / "src" / "runner.py", work)
    shutil.copy(HERE / "compile.mjs", work)
    parts: dict[str, list[str]] = {"python.zip": [], **{name: [] for name in ARCHIVES}, "runner.zip": ["runner.py"]}
    for wheel in sorted((work / "wheels").glob("*.whl")):
        name = next((name for name, wheels in ARCHIVES.items() if wheel.name.startswith(wheels)), "python.zip")
        parts[name].append(f"wheels/{wheel.name}")
    first, *_, engine = [each["code"] for each in examples()]  # what these import of Python's library is compiled
    (work / "parts.json").write_text(json.dumps(parts | {"first": first, "engine": engine}), encoding="utf-8")
    _run(["node", "compile.mjs", str(modules / "pyodide"), str(made)], work)


def _bundle(work: Path, made: Path) -> None:
    """The page's script with CodeMirror in one file, and its style with the package's colours."""
    shutil.copytree(SOURCES, work / "src")
    options = [
        "--bundle",
        "--minify",
        "--format=esm",
        "--target=es2022",
        "--legal-comments=none",
        "--log-level=warning",
    ]
    _run(["node", "node_modules/esbuild/bin/esbuild", "src/page.js", *options, f"--outfile={made / 'page.js'}"], work)
    style = (SOURCES / "style.css").read_text(encoding="utf-8")
    (made / "style.css").write_text(css(":root") + style, encoding="utf-8")


def _strip_map(script: Path) -> None:
    """Take away the line that leads to a map of the source, which is not there."""
    text = script.read_text(encoding="utf-8")
    script.write_text(re.sub(r"\n//# sourceMappingURL=\S+\s*$", "\n", text), encoding="utf-8")


def _licences(modules: Path, found: Path, made: Path) -> None:
    """The licences of what is in the folder."""
    texts = [_NOTE]
    lock = json.loads((HERE / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    for place, told in lock.items():
        folder = modules.parent / place
        if place and folder.exists() and "esbuild" not in place:
            files = sorted(folder.glob("LICEN[CS]E*"))
            text = files[0].read_text(encoding="utf-8") if files else f"Licence: {told.get('license', '')}\n"
            texts.append(f"== {place.removeprefix('node_modules/')} {told.get('version', '')}\n\n{text}")
    for wheel in sorted(found.glob("*.whl")):
        name, version, *_ = wheel.name.split("-")
        shutil.unpack_archive(wheel, found / name, "zip")
        for file in sorted((found / name).glob("*.dist-info/**/LICEN[CS]E*")):
            texts.append(f"== {name} {version}\n\n{file.read_text(encoding='utf-8')}")
    (made / "LICENSES.txt").write_text("\n\n".join(texts), encoding="utf-8")


def _service(made: Path) -> None:
    """The service worker, which knows every file and by a hash of all of them when there is another build."""
    files = sorted([str(file.relative_to(made)).replace(os.sep, "/") for file in made.rglob("*") if file.is_file()])
    digest = hashlib.sha256()
    for name in files:
        digest.update(name.encode() + b"\0" + (made / name).read_bytes())
    text = (SOURCES / "service.js").read_text(encoding="utf-8").replace("/*build*/", digest.hexdigest()[:16])
    kept = ["./", *[name for name in files if name not in ("index.html", "LICENSES.txt")]]
    (made / "service.js").write_text(text.replace("/*files*/ []", json.dumps(kept)), encoding="utf-8")


def _run(command: Sequence[str], folder: Path, more: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        command, cwd=folder, env=os.environ | (more or {}), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:4])} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def sizes(out: Path) -> str:
    """How large the folder is, and its largest files."""
    files = sorted([(file.stat().st_size, str(file.relative_to(out))) for file in out.rglob("*") if file.is_file()])
    lines = [f"{size / 1e6:7.2f} MB  {name}" for size, name in reversed(files[-8:])]
    return "\n".join([*lines, f"{sum([size for size, _ in files]) / 1e6:7.2f} MB  in all, {len(files)} files"])


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Make the playground, a folder of static files.")
    parser.add_argument("out", type=Path, help="the folder to make; what is there is replaced")
    parser.add_argument("--wheels", type=Path, metavar="DIR", help="a folder to make of the wheels that it takes")
    given = parser.parse_args()
    out: Path = given.out
    if out.exists() and any(out.iterdir()) and not (out / "runner.zip").exists():
        raise SystemExit(f"{out}: there is something else; name a folder that is new, empty, or a playground")
    build(out, given.wheels)
    sys.stdout.write(f"{sizes(out)}\n\npython -m http.server --bind 127.0.0.1 --directory {out}\n")


if __name__ == "__main__":
    main()
