"""Make the lessons to run in the browser: JupyterLite with the notebooks, a folder beside the playground.

    python docs/lite.py SITE/lite SITE/playground

Its Python is the playground's Pyodide, with the playground's wheels, which are in SITE/wheels, and those that
lite/requirements.txt pins, from PyPI. NumPy and Matplotlib for it are on no registry, only in Pyodide's own
distribution: unpacked, it is given by `--pyodide-packages DIR`. Then all lessons run; without it those that import
neither.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from lesson_pages import lacking

HERE = Path(__file__).parent / "lite"
ROOT = HERE.parent.parent
EXTENSION = "@jupyterlite/pyodide-kernel-extension"
POLICY = {  # what the page may fetch and run, and so the frames and the worker in it
    "default-src": "'none'",
    # JupyterLab compiles its schemas, the kernel its import of Pyodide, and pictures bring scripts of their own
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' blob:",
    "worker-src": "'self' blob:",  # see lite/kernel.js
    "connect-src": "'self' data: blob:",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "frame-src": "'self' data: blob:",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
}
DISABLED = [  # plugins
    "@jupyterlite/application-extension:service-worker-manager",  # files of the page in Python: an import asks for each
    "@jupyterlite/notebook-application-extension:logo",  # a way to the list of files, which is not here
    "@jupyter-notebook/console-extension:scratchpad-console",
    "@jupyter-notebook/notebook-extension:checkpoints",  # when a file was saved: by the build
    "@jupyter-notebook/notebook-extension:tab-icon",  # pictures that are not here
]
APPS = ("consoles", "doc", "edit", "lab", "repl", "tree")  # what JupyterLite has besides a page for one notebook
# what draws nothing in our lessons; a script of nothing else is left out
UNUSED = r"@mermaid-js/|mermaid/|elkjs/|cytoscape|cose-base/|layout-base/|katex/|vega|@xterm/|d3-|dagre|roughjs/"
PRELOADED = ("numpy", "matplotlib")  # of a distribution: a cell with a magic names no import to Pyodide
GIVEN = (*PRELOADED, "sympy")  # what lessons import of it; what these need comes with them
SPARE = r"jedi/third_party/(?:typeshed/stubs|django-stubs)/|/tests?/"  # in wheels: types of packages that are not here


def build(out: Path, playground: Path, distribution: Path | None = None) -> None:
    """Make the folder, in the place of what was there; Pyodide's own distribution is unpacked in `distribution`."""
    with TemporaryDirectory(prefix="micrograd_plus-lite-") as folder:
        found, made = Path(folder, "found"), Path(folder, "made")
        download(found)
        core, kernel = [next(found.glob(f"jupyterlite_{name}-*.whl")) for name in ("core", "pyodide_kernel")]
        application(core, made)
        loaded = extension(kernel, made)
        for each in (core, kernel):
            each.unlink()
        names = packages([*found.glob("*.whl"), *_parts(made)], playground, distribution, made)
        lessons(made, complete=distribution is not None)
        _configure(made, loaded, names)
        _licences(made, [core.name, kernel.name])
        if out.exists():
            shutil.rmtree(out)
        shutil.copytree(made, out)


def download(found: Path) -> None:
    """The wheels of requirements.txt, each held to its hash, for the Python in the browser."""
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download", "--no-deps"]
    command += ["--only-binary", ":all:", "--python-version", "3.14", "--require-hashes", "--dest", str(found)]
    command += ["--requirement", str(HERE / "requirements.txt")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"pip download failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def application(core: Path, made: Path) -> None:
    """JupyterLite's page for one notebook, without maps of sources, and without scripts for what no lesson shows."""
    with ZipFile(core) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith(".tgz"))
        with wheel.open(name) as packed, tarfile.open(fileobj=packed, mode="r:gz") as archive:
            archive.extractall(made.parent / "application", filter="data")
    package = made.parent / "application" / "package"
    for name in APPS:
        shutil.rmtree(package / name)
        shutil.rmtree(package / "build" / name, ignore_errors=True)
    for script in package.glob("build/*.js"):
        if _unused(script.with_name(f"{script.name}.map")):
            script.unlink()
    old = shutil.ignore_patterns("*.map", "fa-*.svg", "fa-*.eot", "fa-*.ttf", "fa-*.woff", "rspack*", "package.json")
    shutil.copytree(package, made, ignore=old)
    shutil.copy(HERE / "kernel.js", made)
    shutil.copy(HERE / "index.html", made)
    (made / "tree").mkdir()
    shutil.copy(HERE / "tree.html", made / "tree" / "index.html")
    shutil.copy(HERE / "opened.js", made / "tree")
    page = made / "notebooks" / "index.html"
    policy = "; ".join([f"{name} {value}" for name, value in POLICY.items()])
    head = f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n    <script src="../kernel.js"></script>'
    head += '\n    <link rel="icon" href="../../icon.svg">'
    text = page.read_text(encoding="utf-8").replace("<html>", '<html lang="en">')
    page.write_text(_once(text, '<meta charset="utf-8">', f'<meta charset="utf-8">\n    {head}'), encoding="utf-8")


def _unused(told: Path) -> bool:
    """Whether a script, by the map of its sources, is made of nothing but packages that no lesson uses."""
    sources = json.loads(told.read_text(encoding="utf-8"))["sources"] if told.exists() else []
    named = [each for each in sources if "/node_modules/" in each]
    return bool(named) and all(re.search(rf"/node_modules/(?:{UNUSED})", each) for each in named)


def extension(kernel: Path, made: Path) -> dict[str, str]:
    """The kernel's part of the page; what the page is told of it."""
    place = made / "extensions" / EXTENSION
    with ZipFile(kernel) as wheel:
        for name in wheel.namelist():
            _, found, file = name.partition(f"/labextensions/{EXTENSION}/")
            if found and not file.endswith(".map"):
                (place / file).parent.mkdir(parents=True, exist_ok=True)
                (place / file).write_bytes(wheel.read(name))
    load = json.loads((place / "package.json").read_text(encoding="utf-8"))["jupyterlab"]["_build"]["load"]
    return {"extension": "./extension", "load": load, "name": EXTENSION}


def _parts(made: Path) -> list[Path]:
    """The wheels that come with the kernel, without the stand-ins for widgets."""
    found = (made / "extensions" / EXTENSION / "static" / "pypi").glob("*.whl")
    return [each for each in found if not each.name.startswith("widgets")]


def packages(wheels: list[Path], playground: Path, distribution: Path | None, made: Path) -> list[str]:
    """Write packages/ with lock.json, by which Pyodide finds wheels; the names of those that the kernel starts with."""
    place = made / "packages"
    place.mkdir()
    entries: dict[str, Any] = {}
    for wheel in wheels:
        _repack(wheel, place / wheel.name)
        entries |= _entry(place / wheel.name, wheel.name)
    for wheel in playground.parent.glob("wheels/*.whl"):
        entries |= _entry(wheel, f"../../wheels/{wheel.name}")
    lock = json.loads((playground / "pyodide" / "lock.json").read_text(encoding="utf-8"))
    start = sorted(entries)
    if distribution is not None:
        given = _given(distribution, lock, entries)
        for entry in given.values():
            shutil.copy(distribution / entry["file_name"], place)
        entries |= given
        start += PRELOADED
    (place / "lock.json").write_text(json.dumps(lock | {"packages": entries}), encoding="utf-8")
    return start


def _repack(wheel: Path, target: Path) -> None:
    """A wheel without what nobody reads in a browser."""
    with ZipFile(wheel) as source, ZipFile(target, "w", ZIP_DEFLATED, compresslevel=9) as packed:
        for each in source.infolist():
            if not re.search(SPARE, each.filename):
                packed.writestr(each, source.read(each), ZIP_DEFLATED, 9)


def _entry(wheel: Path, address: str) -> dict[str, Any]:
    """A wheel in Pyodide's lock file. What it needs is loaded anyway."""
    name, version, *_ = wheel.name.split("-")
    with ZipFile(wheel) as packed:
        tops = {each.partition("/")[0].removesuffix(".py") for each in packed.namelist()}
    return {
        name.lower().replace("_", "-"): {
            "name": name,
            "version": version,
            "file_name": address,
            "install_dir": "site",
            "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
            "package_type": "package",
            "imports": sorted([top for top in tops if not top.endswith(".dist-info")]),
            "depends": [],
        }
    }


def _given(distribution: Path, lock: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """The entries of Pyodide's distribution that lessons need besides those known, with all that these need."""
    theirs = json.loads((distribution / "pyodide-lock.json").read_text(encoding="utf-8"))
    if theirs["info"] != lock["info"]:
        raise SystemExit(f"{distribution} is for {theirs['info']}; the playground's Pyodide is {lock['info']}")
    found: dict[str, Any] = {}
    wanted = list(GIVEN)
    while wanted:
        name = wanted.pop()
        if name not in theirs["packages"]:
            raise SystemExit(f"{distribution} has no {name}")
        if name not in found and name not in known:
            found[name] = theirs["packages"][name]
            wanted += found[name]["depends"]
    return found


def lessons(made: Path, *, complete: bool) -> None:
    """The notebooks, each with a line above it that says how it runs here, and the list of them."""
    (made / "files").mkdir()
    listed = []
    for file in sorted((ROOT / "notebooks").glob("*.ipynb")):
        notebook = json.loads(file.read_text(encoding="utf-8"))
        how = {"cell_type": "markdown", "id": "how", "metadata": {}, "source": _how(file, complete)}
        notebook["cells"].insert(0, how)
        notebook["metadata"]["kernelspec"] |= {"name": "python", "display_name": "Python (Pyodide)"}
        text = json.dumps(notebook, ensure_ascii=False)
        (made / "files" / file.name).write_text(text, encoding="utf-8")
        listed.append(_content(file.name, "notebook", None, len(text.encode())))
    _json(made / "api" / "contents" / "all.json", _content("", "directory", listed, None))
    language = {"displayName": "English", "nativeName": "English"}
    _json(made / "api" / "translations" / "all.json", {"data": {"en": language}, "message": ""})
    _json(made / "api" / "translations" / "en.json", {"data": {}, "message": ""})
    _json(made / "build" / "schemas" / "all_federated.json", [])


def _how(file: Path, complete: bool) -> str:
    """The line above a lesson."""
    if (lacks := lacking(file)) and not complete:
        return f"*This lesson needs {lacks}, which this tab lacks: read it here, and run it where they are installed.*"
    run = "choose *Run*, then *Run All Cells*; or go from cell to cell by Shift Enter"
    return f"*This lesson runs in this tab:* {run}. *What you change stays in this browser.*"


def _content(name: str, kind: str, content: Any, size: int | None) -> dict[str, Any]:
    """A file or folder as Jupyter's contents API tells of it."""
    when = "2026-01-01T00:00:00Z"  # the same in each build
    told = {"name": name, "path": name, "type": kind, "content": content, "size": size, "writable": True}
    return told | {"created": when, "last_modified": when, "mimetype": None, "format": content and "json"}


def _configure(made: Path, loaded: dict[str, str], names: list[str]) -> None:
    """Tell the page where everything is: nothing elsewhere."""
    file = made / "jupyter-lite.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    kernel = {
        "pyodideUrl": "./../playground/pyodide/pyodide.mjs",
        "disablePyPIFallback": True,
        "loadPyodideOptions": {"lockFileURL": "./packages/lock.json", "packages": names},
    }
    config["jupyter-config-data"] |= {
        "appUrl": "./notebooks",
        "contentsAllJsonFile": "all.json",
        "disabledExtensions": DISABLED,
        "faviconUrl": "./../icon.svg",
        "federated_extensions": [loaded],
        "litePluginSettings": {f"{EXTENSION}:kernel": kernel},
        "settingsOverrides": {"@jupyterlab/apputils-extension:themes": {"adaptive-theme": True}},  # as the system says
    }
    _json(file, config)


def _licences(made: Path, taken: list[str]) -> None:
    """The licences of the wheels; those of the page's scripts are in build/third-party-licenses.json."""
    texts = [f"{' and '.join(taken)}: BSD-3-Clause; what they hold: build/third-party-licenses.json\n"]
    for wheel in sorted((made / "packages").glob("*.whl")):
        with ZipFile(wheel) as packed:
            for name in packed.namelist():
                if re.search(r"\.dist-info/(?:.*/)?(?:LICEN[CS]E|COPYING)", name):
                    texts.append(f"== {wheel.name}\n\n{packed.read(name).decode(errors='replace')}")
    (made / "LICENSES.txt").write_text("\n\n".join(texts), encoding="utf-8")


def _json(file: Path, data: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(data), encoding="utf-8")


def _once(text: str, old: str, new: str) -> str:
    """Replace what must stand there exactly once."""
    if text.count(old) != 1:
        raise SystemExit(f"JupyterLite's page has {text.count(old)} times {old!r}, expected 1")
    return text.replace(old, new)


def sizes(out: Path) -> Iterator[str]:
    """How large the folder is, by its parts."""
    for part in sorted(out.iterdir()):
        size = sum([file.stat().st_size for file in (part, *part.rglob("*")) if file.is_file()])
        if size > 50_000:
            yield f"{size / 1e6:7.2f} MB  {part.name}\n"


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Make the lessons' pages in the browser, beside the playground.")
    parser.add_argument("out", type=Path, help="the folder to make; what is there is replaced")
    parser.add_argument("playground", type=Path, help="the playground, in the same folder as OUT")
    parser.add_argument("--pyodide-packages", type=Path, metavar="DIR", help="Pyodide's own distribution, unpacked")
    given = parser.parse_args()
    if given.out.exists() and any(given.out.iterdir()) and not (given.out / "jupyter-lite.json").exists():
        raise SystemExit(f"{given.out}: there is something else; name a folder that is new, empty, or of the same kind")
    build(given.out, given.playground, given.pyodide_packages)
    sys.stdout.write("".join(sizes(given.out)))


if __name__ == "__main__":
    main()
