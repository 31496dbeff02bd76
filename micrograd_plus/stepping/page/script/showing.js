// What is seen at one moment of the pass. Position 0 is the leaves alone; then come the values, one by one; then the steps.

function fill(parent, some) {
  parent.replaceChildren(...some.map(([kind, text]) => element("span", text, { className: kind })));
}

function write(drawn, text) {
  if (drawn.textContent !== text) drawn.textContent = text; // else the browser would lay it out again
}

const known = (i) => !rank.has(i) || rank.get(i) < position; // whether its value has appeared
const backwardAt = () => position - made.length - 1; // which step has just been taken; below 0: none
const taken = () => steps.slice(0, Math.max(backwardAt() + 1, 0));

// Each node's gradient after the steps so far; none where nothing has come yet.
function gradients() {
  const grads = new Map(Object.entries(held).map(([i, grad]) => [Number(i), grad]));
  for (const step of taken()) grads.set(step.argument, step.after);
  if (position === final) nodes.forEach((_, i) => grads.has(i) || grads.set(i, 0));
  return grads;
}

// The nodes whose gradient is, after the steps so far, nothing but what rounding left.
function dustyGradients() {
  const dusts = new Set();
  for (const step of taken()) {
    if (step.dust.includes("after")) dusts.add(step.argument);
    else dusts.delete(step.argument);
  }
  return dusts;
}

function show() {
  const at = backwardAt();
  const now = stepsAt(position);
  const value = position > 0 && position <= made.length ? made[position - 1] : null;
  const { sources, targets } = position > 0 ? involved(position) : { sources: [], targets: [] };
  const grads = gradients();
  const dusts = dustyGradients();
  const sizes = boxes.filter((box) => box.shows && grads.has(box.at)).map((box) => Math.abs(grads.get(box.at)));
  const largest = Math.max(...sizes.filter(Number.isFinite), 1e-300);
  boxes.forEach((box, k) => {
    if (box.shows) showNumbers(box, grads, dusts, largest);
    else box.element.setAttribute("aria-label", `${box.title}: ${box.note}`);
    for (const drawn of [box.element, dots[k]]) {
      drawn.classList.toggle("source", sources.includes(k));
      drawn.classList.toggle("target", targets.includes(k));
    }
  });
  showArrows(at, now, value);
  showShares(now);
  showWords(now, value);
  const alone = now.length === 1 && !nodes[now[0].node]?.inner;
  showWhy(alone ? now[0] : null, value);
  showPaths();
  showQuestion();
  $("slider").value = position;
  $("slider").setAttribute("aria-valuetext", $("phase").textContent);
  for (const id of ["first", "back"]) $(id).disabled = position === 0;
  for (const id of ["next", "last"]) $(id).disabled = position === final;
  reveal(happening(), ahead());
  if (focused === null) stopAt([...targets, home[graph.root]][0]);
  tell();
}

// Which arrows are lit, and which lead back, since a gradient has gone along them.
function showArrows(at, now, value) {
  const done = new Set(level.carrying.slice(0, Math.max(at, 0)));
  const forward = new Set(value === null ? [] : arrowsInto(home[value]));
  const flowing = new Set(now.map(arrowOf));
  for (const edge of level.edges) {
    const kinds = [["done back", done], ["lit forward", forward], ["lit flowing back", flowing]].filter(([, some]) => some.has(edge));
    const look = ["edge", ...kinds.map(([kind]) => kind)].join(" ");
    if (edge.getAttribute("class") === look) continue;
    edge.setAttribute("class", look);
    if (look.includes("lit")) level.elements[0].before(edge); // above the other arrows, below the boxes
  }
}

// The value and the gradient in a box, and the gradient's sign and size as a colour.
function showNumbers({ element: box, at: i, title }, grads, dusts, largest) {
  const [seen, reached] = [known(i), grads.has(i)];
  write(box.querySelector(".data"), seen ? boxed(nodes[i].data, nodes[i].dust) : "?");
  write(box.querySelector(".grad"), reached ? boxed(grads.get(i), dusts.has(i)) : "–");
  const size = reached && grads.get(i) !== 0 && !dusts.has(i) ? 0.1 + 0.35 * Math.min(1, Math.abs(grads.get(i)) / largest) : 0;
  const tint = box.querySelector(".tint");
  tint.style.fill = grads.get(i) < 0 ? "var(--orange)" : "var(--blue)";
  tint.style.fillOpacity = Number.isNaN(size) ? 0 : size;
  box.classList.toggle("unknown", !seen);
  box.classList.toggle("unreached", !reached);
  box.classList.toggle("wrong", position === final && i in graph.wrong);
  const gradient = reached ? `, gradient ${boxed(grads.get(i), dusts.has(i))}` : "";
  box.setAttribute("aria-label", `${title || name(i)}: ${seen ? boxed(nodes[i].data, nodes[i].dust) : "not computed yet"}${gradient}`);
}

function showWords(now, value) {
  const at = backwardAt();
  if (now.length) {
    $("phase").textContent = `Backward, gradients flow: step ${at} of ${steps.length - 1}`;
    const single = now.length === 1 && (now[0].node === null || boxes[home[now[0].argument]].shows);
    fill($("step"), single ? pieces(now[0]) : together(now));
  } else if (value !== null) {
    $("phase").textContent = `Forward, values appear: ${position} of ${made.length}`;
    fill($("step"), valuePieces(value));
  } else {
    const again = `. ${name(graph.root)}.backward() has run already: its pass starts afresh here`;
    $("phase").textContent = `The leaves: the numbers that were given${graph.again ? isolated(again) : ""}`;
    const given = leaves.length === 1 ? "1 leaf, " : leaves.length ? `${leaves.length} leaves, ` : "";
    $("step").textContent = `${given}${made.length} to compute`;
  }
  const wrong = Object.values(graph.wrong);
  if (position === final && wrong.length) {
    $("phase").textContent += `. In this order ${wrong.length} come out wrong: ${isolated(wrong.slice(0, 3).join("; "))}`;
  }
  if (graph.warning) $("phase").textContent += `. Here ${isolated(graph.warning)}`;
  $("count").textContent = `${position} / ${final}`;
}

// What each step gave, written on its arrow; of a large graph only the present ones.
function showShares(now) {
  picture.querySelectorAll(".share").forEach((label) => label.remove());
  const sums = new Map();
  for (const step of steps.length > 60 ? now : taken()) {
    const edge = boxes[home[step.argument]].shows && arrowOf(step);
    if (edge) sums.set(edge, (sums.get(edge) ?? 0) + given(step));
  }
  for (const [edge, sum] of sums) {
    const label = document.createElementNS("http://www.w3.org/2000/svg", "text");
    label.setAttribute("class", `share ${sum < 0 ? "minus" : "plus"}`);
    label.setAttribute("x", edge.dataset.x);
    label.setAttribute("y", edge.dataset.y);
    label.textContent = shorter(sum);
    edge.parentNode.append(label);
  }
}
