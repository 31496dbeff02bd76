// Compile wheels and files with Pyodide's own Python: parts.json says into which archive each goes.
import fs from "node:fs";
import { pathToFileURL } from "node:url";

const COMPILE = `
import pathlib, py_compile, shutil
root = pathlib.Path("/parts", name)
for folder in root.rglob("__pycache__"):
    shutil.rmtree(folder)
for file in root.glob("*.dist-info/*"):
    if file.name != "METADATA":  # by which a package finds its own version
        shutil.rmtree(file) if file.is_dir() else file.unlink()
for file in root.rglob("*.py"):
    options = {"dfile": "/lib/site/" + str(file.relative_to(root)), "doraise": True}
    options["invalidation_mode"] = py_compile.PycInvalidationMode.UNCHECKED_HASH
    if name == "laws.zip":  # of which nobody reads the source
        py_compile.compile(str(file), cfile=str(file.with_suffix(".pyc")), **options)
        file.unlink()
    else:
        py_compile.compile(str(file), **options)
shutil.make_archive("/made/" + name.removesuffix(".zip"), "zip", root)
`;

async function main([pyodide, made]) {
  const { loadPyodide } = await import(pathToFileURL(`${pyodide}/pyodide.mjs`));
  const python = await loadPyodide({ indexURL: `${pyodide}/` });
  python.FS.mkdirTree("/made");
  for (const [name, files] of Object.entries(JSON.parse(fs.readFileSync("parts.json", "utf8")))) {
    python.FS.mkdirTree(`/parts/${name}`);
    for (const file of files) {
      const bytes = new Uint8Array(fs.readFileSync(file));
      if (file.endsWith(".whl")) python.unpackArchive(bytes, "zip", { extractDir: `/parts/${name}` });
      else python.FS.writeFile(`/parts/${name}/${file}`, bytes);
    }
    python.runPython(COMPILE, { globals: python.toPy({ name }) });
    fs.writeFileSync(`${made}/${name}`, python.FS.readFile(`/made/${name}`));
  }
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error.message}\n`); // not the line of Pyodide's script, which is a megabyte long
  process.exit(1);
});
