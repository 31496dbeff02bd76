// What is seen at one moment of the pass.

const $ = (id) => document.getElementById(id);
const pictured = nodes.map((_, i) => $(`n${i}`));
const arrow = (i, place) => $(`e${i}_${place}`);
let position = 0; // 0: the leaves alone; then the values one by one; then the steps
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

// The nodes whose gradient is, after the steps so far, nothing but what rounding left.
function dustyGradients() {
  const dusts = new Set();
  for (const step of steps.slice(0, Math.max(backwardAt() + 1, 0))) {
    if (step.dust.includes("after")) dusts.add(step.argument);
    else dusts.delete(step.argument);
  }
  return dusts;
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
  const dusts = dustyGradients();
  const largest = Math.max(...[...grads.values()].map(Math.abs).filter(Number.isFinite), 1e-300);
  nodes.forEach((node, i) => {
    const box = pictured[i];
    const seen = known(i);
    const reached = grads.has(i);
    box.querySelector(".data").textContent = seen ? boxed(node.data, node.dust) : "?";
    box.querySelector(".grad").textContent = reached ? boxed(grads.get(i), dusts.has(i)) : "–";
    const size = reached && grads.get(i) !== 0 && !dusts.has(i) ? 0.1 + 0.35 * Math.min(1, Math.abs(grads.get(i)) / largest) : 0;
    const tint = box.querySelector(".tint");
    tint.style.fill = grads.get(i) < 0 ? "var(--orange)" : "var(--blue)";
    tint.style.fillOpacity = Number.isNaN(size) ? 0 : size;
    const source = step ? step.node === i : value !== null && node !== nodes[value] && uses(value, i);
    box.classList.toggle("unknown", !seen);
    box.classList.toggle("unreached", !reached);
    for (const drawn of [box, dots[i]]) {
      drawn.classList.toggle("source", Boolean(source));
      drawn.classList.toggle("target", step ? step.argument === i : value === i);
    }
    box.classList.toggle("wrong", position === final && i in graph.wrong);
    const gradient = reached ? `, gradient ${boxed(grads.get(i), dusts.has(i))}` : "";
    box.setAttribute("aria-label", `${node.name}: ${seen ? boxed(node.data, node.dust) : "not computed yet"}${gradient}`);
  });
  for (const edge of document.querySelectorAll(".edge")) edge.classList.remove("lit", "done", "flowing", "forward", "back");
  steps.slice(0, Math.max(at, 0)).forEach((each) => each.node !== null && arrow(each.node, each.place)?.classList.add("done", "back"));
  if (value !== null) nodes[value].args.forEach((arg, place) => arrow(value, place)?.classList.add("lit", "forward"));
  if (step && step.node !== null) arrow(step.node, step.place)?.classList.add("lit", "flowing", "back");
  showShares(at);
  showWords(step, value);
  showWhy(step, value);
  showPaths();
  showQuestion();
  $("slider").value = position;
  $("slider").setAttribute("aria-valuetext", $("phase").textContent);
  for (const id of ["first", "back"]) $(id).disabled = position === 0;
  for (const id of ["next", "last"]) $(id).disabled = position === final;
  reveal(happening(), ahead());
  if (focused === null) stopAt(happening().at(-1));
  tell();
}

const argumentsOf = (i) => nodes[i].args.filter((arg) => typeof arg === "object").map((arg) => arg.node);

// The nodes of which a position tells: what is made and of what, or what passes on and to what.
function involved(k) {
  if (k <= made.length) return [made[k - 1], ...argumentsOf(made[k - 1])];
  const step = steps[k - made.length - 1];
  return step.node === null ? [step.argument] : [step.node, step.argument];
}

const happening = () => involved(Math.max(position, 1)); // at first, what comes first
const ahead = () => Array.from({ length: Math.min(AHEAD, final - position) }, (_, k) => involved(position + 1 + k));

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
    const again = `. ${name(graph.root)}.backward() has run already: its pass starts afresh here`;
    $("phase").textContent = `The leaves: the numbers that were given${graph.again ? again : ""}`;
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
    label.textContent = step.dust.includes("contribution") ? "0" : shorter(step.contribution);
    edge.parentNode.append(label);
  }
}
