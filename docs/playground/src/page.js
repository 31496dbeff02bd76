// The page: what is typed runs in the engine's worker, and what it shows follows.
import { editor } from "./editor.js";
import { Engine } from "./engine.js";
import { Stage, Tabs, theme, themes } from "./panels.js";
import { packed, unpacked } from "./share.js";

const PAUSE = 350; // milliseconds without a key, before what is typed runs
const LONGEST = 10; // seconds that code may take that nobody asked to run
const $ = (id) => document.getElementById(id);
const embedded = new URLSearchParams(location.search).has("embed");
document.documentElement.classList.toggle("embed", embedded);

const examples = JSON.parse($("examples").textContent);
const stages = Object.fromEntries(
  ["step", "graph", "html"].map((what) => [what, new Stage($(`${what}-stage`), { step: "Backprop, step by step", graph: "The graph", html: "What your code shows" }[what])]),
);
let told = null; // what the last run told
let wanted = false; // whether something was typed that has not run yet
let fresh = new Set(); // the panels that show the last run
let timer = 0;

// ------------------------------------------------------------------------------------------------------- the engine

const words = { starting: "Python is starting …", busy: "running …", ready: "ready", idle: "ready" };
const engine = new Engine((state, more) => {
  $("state").textContent = words[state === "busy" && !engine.ready ? "starting" : state] ?? `Python does not start: ${more}`;
  document.documentElement.dataset.state = state;
  $("stop").disabled = !(state === "busy" && engine.ready);
  if (state === "ready") {
    performance.mark("ready");
    $("stop").disabled = !engine.busy;
  }
});

async function run({ asked = false } = {}) {
  clearTimeout(timer);
  if (engine.busy) {
    wanted = true; // it runs when what runs now has ended
    return;
  }
  let limit = 0;
  let over = false; // what ran has ended
  const stop = () => engine.stop(`stopped after ${LONGEST} s; Control Enter runs it as long as it takes`);
  if (!asked) engine.started.then(() => over || (limit = setTimeout(stop, LONGEST * 1000))); // its start does not count
  try {
    told = await engine.ask("run", { code: code.text });
    fresh = new Set();
    tell();
    await show(tabs.what);
    await formula();
  } catch (error) {
    fail(error.message);
  } finally {
    over = true;
    clearTimeout(limit);
  }
  if (wanted) {
    wanted = false;
    run();
  }
}

async function formula() {
  if (told.count === undefined) return;
  if (told.count === 1) return $("formula").replaceChildren(); // the number itself, which stands beside it
  const before = told;
  const found = await engine.ask("formula");
  if (told === before) $("formula").replaceChildren(mathematics(found));
}

async function show(what) {
  if (!told || fresh.has(what) || (engine.busy && !engine.ready)) return;
  fresh.add(what);
  try {
    if (what === "html") stages.html.show(dressed(told.html));
    else if (what === "laws") return; // at a click: they take seconds
    else if (told.count === undefined) clear(what);
    else if (what === "derivatives") derivatives(await engine.ask("derivatives"));
    else {
      const shown = await engine.ask("show", { what });
      stages[what].show(what === "graph" ? dressed(shown) : shown);
    }
    $(`${what}-note`).textContent = "";
  } catch (error) {
    fresh.delete(what);
    $(`${what}-note`).textContent = error.message.replace(/^\w+: /, "");
    stages[what]?.show("");
  }
}

function clear(what) {
  if (told.error) return; // what was right last stays, until the code is right again
  stages[what]?.show("");
  if (what === "derivatives") $("derivatives-list").replaceChildren();
  $(`${what}-note`).textContent = "The Value that your last line gives, or that you name last, is shown here.";
}

// HTML for a frame, on the page's ground.
const dressed = (html) => `<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>A picture</title><style>
body { margin: 12px; font: 15px system-ui, sans-serif } svg { max-width: none; display: block } table { border-collapse: collapse } td, th { padding: 2px 8px; text-align: left }</style>${html}`;

// ------------------------------------------------------------------------------------------------- what the run told

function tell() {
  performance.mark("told");
  $("error").textContent = told.error;
  $("error").hidden = !told.error;
  code.mark(told.line, told.error);
  $("output").textContent = told.output;
  $("output").hidden = !told.output;
  document.documentElement.classList.toggle("stale", Boolean(told.error));
  tabs.offer("html", Boolean(told.html));
  tabs.offer("laws", Boolean(told.engine));
  $("laws-class").textContent = told.engine;
  if (told.html) tabs.choose("html");
  if (told.count === undefined) {
    if (!told.error) for (const id of ["value", "formula"]) $(id).replaceChildren();
    return;
  }
  const name = told.name && told.name !== "_" ? `${told.name} = ` : "";
  $("value").textContent = `${name}${told.data}, ${told.count === 1 ? "1 node" : `${told.count.toLocaleString("en")} nodes`}`;
}

function fail(message) {
  $("error").textContent = message;
  $("error").hidden = false;
}

/** A formula as MathML, of which nothing but MathML is taken; as text where there is none. */
function mathematics({ mathml, text }) {
  const parsed = mathml && new DOMParser().parseFromString(mathml, "application/xml").documentElement;
  const only = parsed && [parsed, ...parsed.querySelectorAll("*")].every((each) => each.namespaceURI === "http://www.w3.org/1998/Math/MathML" && each.localName !== "annotation-xml");
  if (!only) return Object.assign(document.createElement("code"), { textContent: text });
  for (const each of [parsed, ...parsed.querySelectorAll("*")])
    for (const { name } of [...each.attributes]) if (/^on|href|style|src/i.test(name)) each.removeAttribute(name);
  return document.adoptNode(parsed);
}

function derivatives(found) {
  $("derivatives-list").replaceChildren(
    ...found.flatMap((each) => {
      const term = Object.assign(document.createElement("dt"), { textContent: `∂${told.name || ""}/∂${each.name}` });
      const meaning = document.createElement("dd");
      meaning.append(mathematics(each));
      return [term, meaning];
    }),
  );
}

async function laws() {
  if (!told?.engine) return;
  $("laws-note").textContent = "trying every law …";
  $("laws-report").replaceChildren();
  const begun = performance.now();
  const limit = setTimeout(() => engine.stop("a law did not end within 30 s: an endless loop in your class?"), 30_000);
  try {
    const report = await engine.ask("laws");
    const { pass, FAIL } = report.counts;
    $("laws-note").textContent = `${pass} of ${report.laws.length} laws hold, ${FAIL} ${FAIL === 1 ? "fails" : "fail"} (${((performance.now() - begun) / 1000).toFixed(1)} s)`;
    const order = ["FAIL", "fails too", "not tried", "pass", "not there"];
    const sorted = report.laws.toSorted((one, other) => order.indexOf(one.verdict) - order.indexOf(other.verdict));
    $("laws-report").replaceChildren(...sorted.map(row));
  } catch (error) {
    $("laws-note").textContent = error.message;
  } finally {
    clearTimeout(limit);
  }
}

function row({ verdict, name, says, failure, mend }) {
  const line = document.createElement("tr");
  line.className = verdict.replace(" ", "-");
  const cells = [verdict, name, mend ? `mend first: ${mend}` : says].map((text) => Object.assign(document.createElement("td"), { textContent: text }));
  if (verdict === "FAIL" && failure) {
    const program = [failure.program, failure.got && `# got: ${failure.got}`, failure.expected && `# expected: ${failure.expected}`, failure.lost && `# ${failure.lost}`];
    cells[2].append(Object.assign(document.createElement("pre"), { textContent: program.filter(Boolean).join("\n") }));
  }
  line.append(...cells);
  return line;
}

// ------------------------------------------------------------------------------------------------------ what is typed

const tabs = new Tabs($("tabs"), show);
const code = editor($("editor"), {
  changed() {
    clearTimeout(timer);
    timer = setTimeout(run, PAUSE);
    keep();
  },
  run: () => run({ asked: true }),
});

let keeping = 0;
function keep() {
  clearTimeout(keeping);
  keeping = setTimeout(async () => {
    const example = examples.find((each) => each.code === code.text);
    const fragment = example ? `example=${example.name}` : await packed(code.text);
    history.replaceState(null, "", `${location.pathname}${location.search}#${fragment}`);
    $("whole").href = `${location.pathname}#${fragment}`;
    $("examples-menu").value = example?.name ?? "";
  }, PAUSE);
}

async function open() {
  const given = await unpacked(location.hash);
  const example = examples.find((each) => each.name === given.example) ?? examples[0];
  if (given.error) fail(given.error);
  code.text = given.code ?? example.code;
  if (given.code === undefined) $("examples-menu").value = example.name;
  run();
}

for (const { name, title } of examples) $("examples-menu").append(new Option(title, name));
$("examples-menu").addEventListener("change", ({ target }) => {
  const example = examples.find((each) => each.name === target.value);
  if (!example) return;
  tabs.choose("step");
  code.text = example.code;
  run();
});
$("stop").addEventListener("click", () => engine.stop("stopped"));
$("laws-run").addEventListener("click", laws);
$("share").addEventListener("click", async () => {
  const link = new URL(`#${await packed(code.text)}`, location.href.replace(/[?#].*$/, "")).href;
  try {
    await navigator.clipboard.writeText(link);
    $("share").textContent = "Copied";
  } catch {
    prompt("The link to this code:", link);
  }
  setTimeout(() => ($("share").textContent = "Copy link"), 1500);
});
themes($("theme"), () => Object.values(stages).forEach((stage) => stage.dress()));
addEventListener("hashchange", open);
addEventListener("shown", () => performance.mark("shown"));
open();

if ("serviceWorker" in navigator && isSecureContext) navigator.serviceWorker.register("service.js").catch(() => {}); // without it, all but offline use works
