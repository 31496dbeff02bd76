// Where JavaScript's own arithmetic differs from Python's.
const python = {
  pow(x, y) {
    return x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : Math.pow(x, y);
  },
  pow_log(x, y, n) {
    const times = n > 0 ? python.round(n) : n <= 0 ? 0 : n;
    return x === 0 && y >= 0 && times > 0 ? 0 : python.pow(x, y) * python.pow(Math.log(x), times);
  },
  mod(x, y) {
    const rest = x % y;
    return rest !== 0 && rest < 0 !== y < 0 ? rest + y : rest;
  },
  round(x) {
    return Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x); // halves to the even number
  },
  where(condition, x, y) {
    return condition !== 0 ? x : y; // nan is true
  },
};

// ------------------------------------------------------------------------------------------------------- the numbers

const NAMED = { nan: NaN, inf: Infinity, "-inf": -Infinity };
const real = (x) => (typeof x === "string" ? NAMED[x] : x);
const graph = JSON.parse(document.getElementById("data").textContent);
const nodes = graph.nodes.map((node) => ({
  ...node,
  data: real(node.data),
  args: node.args.map((arg) => (typeof arg === "object" ? real(arg.number) : { node: arg })),
}));
const held = Object.fromEntries(Object.entries(graph.held).map(([i, grad]) => [i, real(grad)]));
const steps = graph.steps.map((step) => {
  const [upstream, local, contribution, before, after] = step.numbers.map(real);
  return { ...step, upstream, local, contribution, before, after };
});
const made = nodes.map((_, i) => i).filter((i) => nodes[i].op);
const rank = new Map(made.map((i, k) => [i, k]));
const leaves = nodes.map((_, i) => i).filter((i) => !nodes[i].op);
const final = made.length + steps.length;

const data = (arg) => (typeof arg === "object" ? nodes[arg.node].data : arg);

// Values and gradients from the leaves, as Python computes them.
function recompute() {
  for (const i of made) nodes[i].data = forward[nodes[i].op](...nodes[i].args.map(data));
  const sums = new Map();
  const reached = new Set([graph.root]); // where a gradient comes; elsewhere not even 0 · inf does
  for (const step of steps) {
    const sum = sums.get(step.argument) ?? 0;
    let after = 1;
    if (step.kind === "seed") {
      [step.upstream, step.local, step.contribution] = [1, 1, 1];
    } else {
      const node = nodes[step.node];
      const rule = rules[node.op];
      const at = [node.data, ...node.args.map(data)];
      const mask = rule.masks[step.place];
      step.upstream = sums.get(step.node) ?? 0;
      step.local = rule.partials[step.place](...at);
      const comes = reached.has(step.node);
      const stopped = mask !== null && (mask === true ? step.local : mask(...at)) === 0;
      if (comes && !stopped) reached.add(step.argument);
      step.masked = stopped || (!comes && !Number.isFinite(step.local));
      step.contribution = step.masked ? 0 : step.upstream * step.local;
      const idle = step.upstream === 0 && step.contribution === 0 && node.op !== "add"; // -0 stays
      after = step.masked || idle ? sum : node.op === "add" && sum === 0 ? step.contribution : sum + step.contribution;
    }
    const kept = step.argument in held ? held[step.argument] : null;
    step.before = kept === null ? sum : sum + kept;
    step.after = kept === null ? after : after + kept;
    sums.set(step.argument, after);
  }
}

// ----------------------------------------------------------------------------------------------------------- in words

// Six significant digits, as numerals.py writes them.
function short(x) {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
  if (x === 0) return Object.is(x, -0) ? "-0.0" : "0.0";
  const [digits, power] = x.toExponential(5).split("e").map(Number);
  if (power < -4 || power >= 6) {
    const size = String(Math.abs(power)).padStart(2, "0");
    return `${digits}e${power < 0 ? "-" : "+"}${size}`;
  }
  const text = String(Number(Number(x.toExponential(5)).toFixed(Math.max(0, 5 - power))));
  return text.includes(".") ? text : `${text}.0`;
}
const enclosed = (x) => (short(x).startsWith("-") ? `(${short(x)})` : short(x));
const name = (i) => nodes[i].name;
const ratio = (i, j) => `∂${name(i)}/∂${name(j)}`;

// A step as Python's Step.pieces writes it.
function pieces(step) {
  const goes = [["", ` (${name(step.argument)}.grad: `], ["before", short(step.before)], ["", " → "]];
  goes.push(["after", short(step.after)], ["", ")"]);
  const gradient = ["target", ratio(graph.root, step.argument)];
  if (step.node === null) {
    const by = step.kind === "hook" ? ", made so by a hook" : "";
    return [gradient, ["", " = "], ["contribution", short(step.contribution)], ["", by], ...goes];
  }
  const upstream = ["upstream", short(step.upstream)];
  const text = [gradient, ["", " += "], ["upstream", ratio(graph.root, step.node)], ["", " · "]];
  text.push(["local", ratio(step.node, step.argument)], ["", " = "]);
  if (step.formula) text.push(upstream, ["", " · "], ["local", step.formula], ["", " = "]);
  text.push(upstream, ["", " · "], ["local", enclosed(step.local)], ["", " = "]);
  text.push(["contribution", short(step.contribution)]);
  if (step.masked) text.push(["masked", ", masked"]);
  return [...text, ...goes];
}

// A value as Python's forward_text writes it.
function valuePieces(i) {
  const node = nodes[i];
  if (!node.op) return [["target", name(i)], ["", " = "], ["value", short(node.data)]];
  const words = node.parts.map((x) => (typeof x === "number" ? name(node.args[x].node) : x)).join("");
  const numbers = node.parts.map((x) => (typeof x === "number" ? enclosed(data(node.args[x])) : x)).join("");
  return [["target", name(i)], ["", " = "], ["local", words], ["", ` = ${numbers} = `], ["value", short(node.data)]];
}
const plain = (some) => some.map(([, text]) => text).join("");

// --------------------------------------------------------------------------------------------------------- on the page

const $ = (id) => document.getElementById(id);
const pictured = nodes.map((_, i) => $(`n${i}`));
const arrow = (i, place) => $(`e${i}_${place}`);
let position = 0; // 0: the leaves alone; then the values one by one; then the steps
let told = null; // the node whose story is asked for
let timer = null;

function element(kind, text = "", properties = {}) {
  const made = Object.assign(document.createElement(kind), properties);
  if (text !== "") made.textContent = text;
  return made;
}

function fill(parent, some) {
  parent.replaceChildren(...some.map(([kind, text]) => element("span", text, { className: kind })));
}

const known = (i) => !nodes[i].op || rank.get(i) < position; // whether its value has appeared
const backwardAt = () => position - made.length - 1; // which step has just been taken; below 0: none

// Each node's gradient after the steps so far; none where nothing has come yet.
function gradients() {
  const grads = new Map(Object.entries(held).map(([i, grad]) => [Number(i), grad]));
  for (const step of steps.slice(0, Math.max(backwardAt() + 1, 0))) grads.set(step.argument, step.after);
  if (position === final) nodes.forEach((_, i) => grads.has(i) || grads.set(i, 0));
  return grads;
}

function go(to) {
  position = Math.min(Math.max(to, 0), final);
  if (position === final) pause();
  show();
}

function show() {
  const at = backwardAt();
  const step = at >= 0 ? steps[at] : null;
  const value = position > 0 && position <= made.length ? made[position - 1] : null;
  const grads = gradients();
  const largest = Math.max(...[...grads.values()].map(Math.abs).filter(Number.isFinite), 1e-300);
  nodes.forEach((node, i) => {
    const box = pictured[i];
    const seen = known(i);
    const reached = grads.has(i);
    box.querySelector(".data").textContent = seen ? short(node.data) : "?";
    box.querySelector(".grad").textContent = reached ? short(grads.get(i)) : "–";
    const size = reached && grads.get(i) !== 0 ? 0.1 + 0.35 * Math.min(1, Math.abs(grads.get(i)) / largest) : 0;
    const tint = box.querySelector(".tint");
    tint.style.fill = grads.get(i) < 0 ? "var(--orange)" : "var(--blue)";
    tint.style.fillOpacity = Number.isNaN(size) ? 0 : size;
    const source = step ? step.node === i : value !== null && node !== nodes[value] && uses(value, i);
    box.classList.toggle("unknown", !seen);
    box.classList.toggle("unreached", !reached);
    box.classList.toggle("source", Boolean(source));
    box.classList.toggle("target", step ? step.argument === i : value === i);
    box.classList.toggle("wrong", position === final && i in graph.wrong);
    const gradient = reached ? `, gradient ${short(grads.get(i))}` : "";
    box.setAttribute("aria-label", `${node.name}: ${seen ? short(node.data) : "not computed yet"}${gradient}`);
  });
  for (const edge of document.querySelectorAll(".edge")) edge.classList.remove("lit", "done", "flowing", "forward");
  steps.slice(0, Math.max(at, 0)).forEach((each) => each.node !== null && arrow(each.node, each.place)?.classList.add("done"));
  if (value !== null) nodes[value].args.forEach((arg, place) => arrow(value, place)?.classList.add("lit", "forward"));
  if (step && step.node !== null) arrow(step.node, step.place)?.classList.add("lit", "flowing");
  showShares(at);
  showWords(step, value);
  $("slider").value = position;
  $("slider").setAttribute("aria-valuetext", $("phase").textContent);
  for (const id of ["first", "back"]) $(id).disabled = position === 0;
  for (const id of ["next", "last"]) $(id).disabled = position === final;
  reveal(step ? [step.argument, step.node] : value !== null ? [value] : []);
  tell();
}

const uses = (i, j) => nodes[i].args.some((arg) => typeof arg === "object" && arg.node === j);

function showWords(step, value) {
  const at = backwardAt();
  if (step) {
    $("phase").textContent = `Backward, gradients flow: step ${at} of ${steps.length - 1}`;
    fill($("step"), pieces(step));
  } else if (value !== null) {
    $("phase").textContent = `Forward, values appear: ${position} of ${made.length}`;
    fill($("step"), valuePieces(value));
  } else {
    $("phase").textContent = "The leaves: the numbers that were given";
    $("step").textContent = `${leaves.length === 1 ? "1 leaf" : `${leaves.length} leaves`}, ${made.length} to compute`;
  }
  const wrong = Object.values(graph.wrong);
  if (position === final && wrong.length) {
    $("phase").textContent += `. In this order ${wrong.length} come out wrong: ${wrong.slice(0, 3).join("; ")}`;
  }
  $("count").textContent = `${position} / ${final}`;
}

// What each step gave, written on its arrow; of a large graph only the present one.
function showShares(at) {
  document.querySelectorAll(".share").forEach((label) => label.remove());
  const shown = steps.length > 60 ? [at] : [...Array(Math.max(at + 1, 0)).keys()];
  for (const k of shown) {
    const step = steps[k];
    const edge = step && step.node !== null && arrow(step.node, step.place);
    if (!edge) continue;
    const label = document.createElementNS("http://www.w3.org/2000/svg", "text");
    label.setAttribute("class", `share ${step.contribution < 0 ? "minus" : "plus"}`);
    label.setAttribute("x", edge.dataset.x);
    label.setAttribute("y", edge.dataset.y);
    label.textContent = Number.isFinite(step.contribution) ? String(Number(step.contribution.toPrecision(4)) + 0) : short(step.contribution);
    edge.parentNode.append(label);
  }
}

// The story of one node: where its value came from, and what each use gave to its gradient.
function tell() {
  const at = backwardAt();
  const i = told ?? (at >= 0 ? steps[at].argument : position > 0 ? made[position - 1] : graph.root);
  pictured.forEach((box, j) => box.classList.toggle("told", i === j));
  const title = element("h2", nodes[i].op ? `${name(i)}: made by ${nodes[i].op}` : `${name(i)}: a leaf`);
  const text = plain(valuePieces(i).slice(0, known(i) ? undefined : 3));
  const formula = element("p", known(i) ? text : `${text}, not computed yet`, { className: "formula" });
  const table = element("table");
  const given = steps.map((step, k) => [step, k]).filter(([step]) => step.argument === i);
  for (const [step, k] of given) {
    const row = table.insertRow();
    row.className = k > at ? "future" : k === at ? "now" : "";
    const from = step.kind === "seed" ? "it is the loss itself" : step.kind === "hook" ? "a hook makes it" : `from ${name(step.node)}`;
    const jump = element("button", from, { title: `Go to step ${k}` });
    jump.addEventListener("click", () => go(made.length + 1 + k));
    row.insertCell().append(jump);
    row.insertCell().textContent = step.node === null ? "" : `${short(step.upstream)} · ${enclosed(step.local)}${step.masked ? ", masked" : ""}`;
    const cell = row.insertCell();
    cell.className = `number ${step.contribution < 0 ? "minus" : "plus"}`;
    cell.textContent = short(step.contribution);
  }
  if (i in held) {
    const row = table.insertRow(0);
    row.insertCell().textContent = "held before";
    row.insertCell();
    row.insertCell().textContent = short(held[i]);
    row.cells[2].className = "number";
  }
  const so = given.filter(([, k]) => k <= at);
  if (given.length) {
    const row = table.insertRow();
    row.className = "sum";
    const all = so.length === given.length;
    row.insertCell().textContent = `${name(i)}.grad${all ? "" : " so far"}`;
    row.insertCell().textContent = given.length > 1 ? "the sum (+=)" : "";
    row.insertCell().textContent = so.length ? short(so.at(-1)[0].after) : "–";
    row.cells[2].className = "number";
  }
  const nothing = given.length ? [] : [element("p", "Nothing flows back to it.", { className: "dim" })];
  const wrong = position === final && i in graph.wrong ? [element("p", graph.wrong[i], { className: "minus" })] : [];
  $("story").replaceChildren(title, formula, table, ...nothing, ...wrong);
}

// Scroll the picture, and nothing else, to where something happens.
function reveal(some) {
  const frame = $("graph").getBoundingClientRect();
  for (const i of some) {
    if (i === null || i === undefined) continue;
    const box = pictured[i].getBoundingClientRect();
    if (box.left < frame.left || box.right > frame.right) {
      $("graph").scrollLeft += (box.left + box.right - frame.left - frame.right) / 2;
    }
    if (box.top < frame.top || box.bottom > frame.bottom) {
      $("graph").scrollTop += (box.top + box.bottom - frame.top - frame.bottom) / 2;
    }
  }
}

// As wide as there is room, but never too small to read.
function fit() {
  const svg = $("graph").querySelector("svg");
  const [, , wide, high] = svg.getAttribute("viewBox").split(" ").map(Number);
  const scale = Math.min(1.25, Math.max(0.75, ($("graph").clientWidth - 2) / wide));
  svg.setAttribute("width", wide * scale);
  svg.setAttribute("height", high * scale);
}

function pause() {
  clearInterval(timer);
  timer = null;
  $("play").textContent = "Play";
}

function play() {
  if (timer !== null) return pause();
  if (position === final) go(0);
  timer = setInterval(() => go(position + 1), Number($("speed").value));
  $("play").textContent = "Pause";
  return undefined;
}

// ------------------------------------------------------------------------------------------------------ leaves to move

function offerLeaves() {
  const title = element("h2", graph.fixed ? "The leaves are fixed" : "Change a leaf");
  const why = graph.fixed ? `Here ${graph.fixed}.` : "Type or drag: values and gradients follow.";
  const rows = element("div", "", { className: "rows" });
  for (const i of graph.fixed ? [] : leaves) {
    const given = nodes[i].data;
    const span = Number.isFinite(given) ? 2 * Math.max(1, Math.abs(given)) : 2;
    const middle = Number.isFinite(given) ? given : 0;
    const row = element("div", "", { className: "leafrow" });
    const typed = element("input", "", { type: "number", step: "any", value: given, id: `leaf${i}` });
    const range = { type: "range", min: middle - span, max: middle + span, step: span / 200, value: given };
    const dragged = element("input", "", range);
    dragged.setAttribute("aria-label", `${name(i)}, to drag`);
    const change = (from, other) => {
      if (from.value === "" || !Number.isFinite(Number(from.value))) return;
      nodes[i].data = Number(from.value);
      other.value = from.value;
      recompute();
      show();
    };
    typed.addEventListener("input", () => change(typed, dragged));
    dragged.addEventListener("input", () => change(dragged, typed));
    const label = element("label", "", { htmlFor: typed.id, title: name(i) });
    label.append(element("bdi", name(i)));
    row.append(label, typed, dragged);
    rows.append(row);
  }
  $("leaves").replaceChildren(title, element("p", why, { className: "dim" }), rows);
}

// ------------------------------------------------------------------------------------------------------- and the hands

$("slider").max = final;
$("slider").addEventListener("input", () => go(Number($("slider").value)));
$("first").addEventListener("click", () => go(0));
$("back").addEventListener("click", () => go(position - 1));
$("next").addEventListener("click", () => go(position + 1));
$("last").addEventListener("click", () => go(final));
$("play").addEventListener("click", play);
$("speed").addEventListener("change", () => timer !== null && (pause(), play()));
pictured.forEach((box, i) => {
  const ask = (node) => () => {
    told = node;
    tell();
  };
  box.setAttribute("tabindex", "0");
  box.setAttribute("role", "img");
  box.addEventListener("pointerenter", ask(i));
  box.addEventListener("pointerleave", ask(null));
  box.addEventListener("focus", ask(i));
  box.addEventListener("blur", ask(null));
});
document.addEventListener("keydown", (event) => {
  const { target } = event;
  const typing = target.matches("input[type=number], select") || (target.matches("input") && target.id !== "slider");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const keys = { ArrowRight: position + 1, ArrowLeft: position - 1, Home: 0, End: final };
  if (event.key in keys) {
    event.preventDefault();
    pause();
    go(keys[event.key]);
  } else if (event.key === " " && !target.matches("button")) {
    event.preventDefault();
    play();
  }
});
new ResizeObserver(fit).observe($("graph")); // a frame may have no width yet
offerLeaves();
fit();
show();
