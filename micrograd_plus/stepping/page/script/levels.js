// How deep the graph is opened: which boxes are drawn, which box each node is in, where a walk through the pass stops.
// Python lays out a few levels; folds.js opens single boxes of these.

let level = null; // one of graph.levels, or one in which single boxes are open
let boxes = []; // what is drawn: elements, where they lie, and the node whose numbers they bear, or one of those in them
let home = []; // by node: the place of its box
let sheet = null; // the whole picture

// The arrow along which a node has an argument; null inside of a box.
function arrow(i, place, argument = nodes[i].args[place].node) {
  const head = home[i];
  return level.arrows.get(`${head}_${boxes[head].title ? ~home[argument] : place}`) ?? null;
}

const arrowOf = (step) => (step.node === null ? null : arrow(step.node, step.place, step.argument));
const tail = (edge) => Number(edge.dataset.tail);
const head = (edge) => Number(edge.id.slice(1).split("_")[0]);
const arrowsInto = (k) => level.into.get(k) ?? [];
const arrowsFrom = (k) => level.edges.filter((edge) => tail(edge) === k);
const boxOf = (drawn) => boxes.findIndex((box) => box.element === drawn);

// The boxes and arrows of a level, as Python drew them; each level's drawing is read once.
function read(it) {
  if (it.parts) return it;
  const drawn = it.drawing ? new DOMParser().parseFromString(it.drawing, "image/svg+xml").documentElement : picture;
  const { width: right, height: bottom } = drawn.viewBox.baseVal;
  it.sheet = { left: 0, top: 0, right, bottom };
  const whole = document.adoptNode(drawn.querySelector("g"));
  it.parts = [whole];
  it.elements = it.boxes.map(([id]) => whole.querySelector(`[id="${id}"]`));
  it.edges = [...whole.querySelectorAll(".edge")];
  for (const edge of it.edges) edge.append(...headsOf(edge.firstChild));
  return it;
}

// The arrows into each box that has any.
function byHead(edges) {
  const into = new Map();
  for (const edge of edges) {
    if (!into.has(head(edge))) into.set(head(edge), []);
    into.get(head(edge)).push(edge);
  }
  return into;
}

// The heads of a line, one at each end, of which one shows. A line goes straight on for as long as its head is.
function headsOf(line) {
  const places = line.getAttribute("d").match(/-?[\d.]+/g).map(Number);
  return [tipped("to", ...places.slice(-4)), tipped("fro", places[2], places[3], places[0], places[1])];
}

function tipped(kind, x, y, tipX, tipY) {
  const [right, down] = [0.35 * (tipX - x), 0.35 * (tipY - y)];
  return shape("polygon", { class: kind, points: `${x - down},${y + right} ${tipX},${tipY} ${x + down},${y - right}` });
}

// Draw the graph as deep as that.
function enter(it) {
  if (level) level.parts = [...picture.childNodes];
  level = read(it);
  level.arrows ??= new Map(level.edges.map((edge) => [edge.id.slice(1), edge]));
  level.into ??= byHead(level.edges);
  home = level.home;
  sheet = level.sheet;
  boxes = level.boxes.map(([, at, shows, title, note], k) => ({ element: level.elements[k], at, shows, title, note, area: areaOf(level.elements[k]) }));
  picture.replaceChildren(...level.parts); // what had the focus loses it, and the story is told anew
  level.carrying ??= steps.map(arrowOf); // along which arrow each step goes
  level.stops ??= stopsOf(level);
  for (const { element: drawn, at } of boxes) {
    drawn.setAttribute("role", "button");
    drawn.setAttribute("tabindex", -1);
    drawn.setAttribute("aria-pressed", pinned === at);
  }
  $("level").value = graph.levels.indexOf(level.base ?? level);
}

// The same with what happens now in view.
function open(it) {
  enter(it);
  drawMap();
  [chosen, room] = [null, { width: 0, height: 0 }];
  show();
  measure();
}

// Where a walk through the pass stops: where a box has its value, where a box has passed on to others.
function stopsOf({ carrying }) {
  const found = [...new Map(made.map((i, k) => [home[i], k + 1])).values()].sort((a, b) => a - b);
  let before = null;
  let begun = 0;
  steps.forEach((step, n) => {
    const k = made.length + 1 + n;
    const box = step.node === null ? null : home[step.node];
    if (box === null || box !== before || !boxes[box].title) begun = k; // what a group passes on, one after the other, is one stop
    before = box;
    if (step.node === null || carrying[n]) {
      if (found.length && found.at(-1) >= begun) found.pop();
      found.push(k);
    }
  });
  return found.at(-1) === final ? found : [...found, final];
}

// Where the walk stops next, before and after a position.
const nextStop = (k) => level.stops.find((stop) => stop > k) ?? final;
const lastStop = (k) => level.stops.findLast((stop) => stop < k) ?? 0;

// The steps that are taken at once at a position: of a group all that it passes on to others, one after the other.
function stepsAt(k) {
  if (k <= made.length) return [];
  const from = level.stops.includes(k) ? Math.max(lastStop(k), made.length) : k - 1;
  const some = steps.slice(from - made.length, k - made.length).filter((step) => step.node === null || arrowOf(step));
  return some.length ? some : [steps[k - made.length - 1]];
}

// The boxes of which a position tells: what is made and of what, or what passes on and to what.
function involved(k) {
  const at = k <= made.length ? home[made[k - 1]] : null;
  if (at !== null) return { sources: arrowsInto(at).map(tail), targets: [at] };
  const some = stepsAt(k);
  const nodesOf = some.map((step) => step.node).filter((i) => i !== null);
  return { sources: nodesOf.map((i) => home[i]), targets: some.map((step) => home[step.argument]) };
}

const areasAt = (k) => Object.values(involved(k)).flat().map((i) => boxes[i].area);
const happening = () => areasAt(position || level.stops[0]); // at first, what comes first

// What comes after it, as far as one looks ahead.
function* ahead() {
  for (let k = nextStop(position), n = 0; n < AHEAD && k < final; k = nextStop(k), n += 1) yield areasAt(k);
}

function startLevels() {
  $("level").append(...graph.levels.map(({ name }, k) => element("option", name, { value: k })));
  $("level").hidden = graph.levels.length === 1;
  $("level").addEventListener("change", () => open(graph.levels[Number($("level").value)]));
  enter(graph.levels[graph.level]);
}
