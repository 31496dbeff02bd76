// The engine's worker: Pyodide runs runner.py. It may be ended at any time, which is how endless loops stop.
import { loadPyodide } from "./pyodide/pyodide.mjs";
import { Graphviz } from "./graphviz.js";

const here = new URL("./", import.meta.url).href;
const take = globalThis.fetch.bind(globalThis); // ours, before `forbid`
const bytes = async (name) => new Uint8Array(await (await take(here + name)).arrayBuffer());

const FORMULAS = bytes("formulas.zip");

async function start() {
  const begun = performance.now();
  const [python, code, runner, graphviz] = await Promise.all([
    loadPyodide({ indexURL: `${here}pyodide/`, lockFileContents: await (await take(`${here}pyodide/lock.json`)).text(), packageBaseUrl: here }),
    bytes("python.zip"),
    bytes("runner.zip"),
    Graphviz.load(),
  ]);
  globalThis.graphviz = graphviz; // micrograd_plus.pictures.rendering asks for it by this name
  python.FS.writeFile("/lib/python.zip", code); // Python imports from archives
  python.FS.writeFile("/lib/runner.zip", runner);
  python.FS.mkdirTree("/lib/site"); // for what is unpacked later
  python.runPython("import sys; sys.path[:0] = ['/lib/runner.zip', '/lib/python.zip', '/lib/site']");
  const session = python.runPython("from runner import Session; Session()");
  forbid();
  postMessage({ kind: "ready", milliseconds: performance.now() - begun });
  return { python, session };
}

// What is typed, or comes with a link, has no business with the site's storage or with requests: the page's policy lets
// none of these leave the site, and these names go besides.
function forbid() {
  for (const name of ["fetch", "XMLHttpRequest", "WebSocket", "EventSource", "WebTransport", "indexedDB", "caches", "BroadcastChannel", "Worker", "importScripts"])
    Object.defineProperty(globalThis, name, { value: undefined, configurable: false, writable: false });
}

const plain = (proxy) => {
  if (typeof proxy?.toJs !== "function") return proxy;
  const value = proxy.toJs({ dict_converter: Object.fromEntries });
  proxy.destroy();
  return value;
};

// Packages that read files of their own, or are needed by few, are unpacked once they are asked for.
const unpacked = {};
const unpack = (python, name, zip) => (unpacked[name] ??= Promise.resolve(zip()).then((found) => python.unpackArchive(found, "zip", { extractDir: "/lib/site" })));

const jobs = {
  run: ({ session }, { code }) => plain(session.run(code)),
  show: ({ session }, { what }) => plain(session.show(what)),
  async formula({ python, session }) {
    await unpack(python, "formulas", () => FORMULAS);
    return plain(session.formula());
  },
  async derivatives({ python, session }) {
    await unpack(python, "formulas", () => FORMULAS);
    return plain(session.derivatives());
  },
  async laws({ python, session }) {
    await unpack(python, "laws", () => bytes("laws.zip"));
    return plain(session.laws());
  },
};

const TOO_DEEP = "this needs more of the stack than a browser gives: a long chain of objects of your own, perhaps";
const last = (error) => String(error.message ?? error).trim().split("\n").at(-1); // of a traceback, what it says
const started = start();
started.catch((error) => postMessage({ kind: "failed", error: last(error) }));

onmessage = async ({ data }) => {
  const engine = await started;
  try {
    postMessage({ kind: "done", id: data.id, value: await jobs[data.job](engine, data) });
  } catch (error) {
    const fatal = Boolean(error.pyodide_fatal_error);
    postMessage({ kind: "done", id: data.id, error: fatal ? TOO_DEEP : last(error), fatal });
  }
};
