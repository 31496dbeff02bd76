// Compile wheels and files with Pyodide's own Python: parts.json says into which archive each goes. Then compile the part
// of Python's own library that is needed for the first picture and for the laws, which Pyodide gives as source.
import fs from "node:fs";
import { pathToFileURL } from "node:url";

const COMPILE = `
import os, pathlib, py_compile, shutil, sys, zipfile

def compiled(file, place, *, beside):
    """Compile a file that will be at that place; its source stays beside it, or goes."""
    options = {"dfile": place, "doraise": True, "invalidation_mode": py_compile.PycInvalidationMode.UNCHECKED_HASH}
    py_compile.compile(str(file), cfile=str(file.with_suffix(".pyc")), **options)
    if not beside:
        file.unlink()

def archive(root, target):
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for file in sorted(root.rglob("*")):
            packed.write(file, file.relative_to(root))
`;
const PART = `
root = pathlib.Path("/parts", name)
for folder in root.rglob("__pycache__"):
    shutil.rmtree(folder)
for file in root.glob("*.dist-info/*"):
    if file.name != "METADATA":  # by which a package finds its own version
        shutil.rmtree(file) if file.is_dir() else file.unlink()
for file in root.rglob("*.py"):
    compiled(file, f"/lib/{name}/{file.relative_to(root)}", beside=name != "laws.zip")  # whose source nobody reads
archive(root, "/made/" + name)
`;
const LIBRARY = `
sys.path[:0] = ["/made/python.zip", "/made/runner.zip", "/parts/formulas.zip", "/parts/laws.zip"]
import runner
session = runner.Session()
assert not session.run(first)["error"]
session.show("graph"), session.show("step"), session.formula()
assert session.run(engine)["engine"]
session.laws()
library = os.__file__.rpartition("/")[0]
early = {module.__file__ for module in sys.modules.values() if str(getattr(module, "__file__", "")).startswith(library)}
root = pathlib.Path("/parts/library")
shutil.unpack_archive(library, root)
for file in root.rglob("*.py"):
    place = f"{library}/{file.relative_to(root)}"
    if place in early:
        compiled(file, place, beside=False)
archive(root, "/made/library.zip")
`;

async function main([pyodide, made]) {
  const { loadPyodide } = await import(pathToFileURL(`${pyodide}/pyodide.mjs`));
  const python = await loadPyodide({ indexURL: `${pyodide}/` });
  python.FS.mkdirTree("/made");
  python.runPython(COMPILE);
  const { first, engine, ...parts } = JSON.parse(fs.readFileSync("parts.json", "utf8"));
  for (const [name, files] of Object.entries(parts)) {
    python.FS.mkdirTree(`/parts/${name}`);
    for (const file of files) {
      const bytes = new Uint8Array(fs.readFileSync(file));
      if (file.endsWith(".whl")) python.unpackArchive(bytes, "zip", { extractDir: `/parts/${name}` });
      else python.FS.writeFile(`/parts/${name}/${file}`, bytes);
    }
    python.globals.set("name", name);
    python.runPython(PART);
    fs.writeFileSync(`${made}/${name}`, python.FS.readFile(`/made/${name}`));
  }
  python.globals.set("first", first);
  python.globals.set("engine", engine);
  python.runPython(LIBRARY);
  fs.writeFileSync(`${made}/pyodide/python_stdlib.zip`, python.FS.readFile("/made/library.zip"));
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error.message}\n`); // not the line of Pyodide's script, which is a megabyte long
  process.exit(1);
});
