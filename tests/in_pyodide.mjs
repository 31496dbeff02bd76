// Run tests inside Pyodide: node tests/in_pyodide.mjs PLAYGROUND WHEELS test_engine.py ...
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const [playground, wheels, ...files] = process.argv.slice(2);
const here = path.dirname(fileURLToPath(import.meta.url));
const bytes = (file) => new Uint8Array(fs.readFileSync(file));

async function main() {
  const { loadPyodide } = await import(pathToFileURL(path.resolve(playground, "pyodide/pyodide.mjs")));
  const indexURL = path.resolve(playground, "pyodide") + "/";
  const python = await loadPyodide({ indexURL, lockFileContents: fs.readFileSync(`${indexURL}lock.json`, "utf8"), packageBaseUrl: indexURL });
  for (const name of ["python.zip", "laws.zip"])
    python.unpackArchive(bytes(path.join(playground, name)), "zip", { extractDir: "/lib/site" });
  for (const name of fs.readdirSync(wheels)) if (name.endsWith(".whl"))
    python.unpackArchive(bytes(path.join(wheels, name)), "wheel", { extractDir: "/lib/site" });
  python.FS.mkdirTree("/tests");
  for (const name of fs.readdirSync(here)) if (/\.(py|json)$/.test(name)) python.FS.writeFile(`/tests/${name}`, bytes(path.join(here, name)));
  python.FS.writeFile("/tests/conftest.py", bytes(path.join(here, "..", "conftest.py")));
  python.globals.set("files", python.toPy(files));
  return python.runPython(`
import sys
sys.path[:0] = ["/tests", "/lib/site"]
from in_pyodide import main
main(list(files))
`);
}

main().then((status) => process.exit(status), (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(70);
});
