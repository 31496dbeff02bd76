// How deep the graph is opened: which boxes are drawn, which box each node is in, where a walk through the pass stops.

let level = null; // one of graph.levels
let boxes = []; // what is drawn: elements, where they lie, and the node whose numbers they bear, or one of those in them
let home = []; // by node: the place of its box
let sheet = null; // the whole picture

// The arrow along which a node has an argument; null inside of a box.
function arrow(i, place, argument = nodes[i].args[place].node) {
  const head = home[i];
  return $(`e${head}_${boxes[head].title ? ~home[argument] : place}`);
}

const arrowOf = (step) => (step.node === null ? null : arrow(step.node, step.place, step.argument));
const tail = (edge) => Number(edge.dataset.tail);
const head = (edge) => Number(edge.id.slice(1).split("_")[0]);
const arrowsInto = (k) => level.edges.filter((edge) => head(edge) === k);
const arrowsFrom = (k) => level.edges.filter((edge) => tail(edge) === k);
const boxOf = (drawn) => boxes.findIndex((box) => box.element === drawn);

// Draw the graph as deep as one of its levels.
function enter(k) {
  if (level) level.parts = [...world.childNodes];
  level = graph.levels[k];
  home = level.home;
  if (!level.sheet) {
    const drawn = level.drawing ? new DOMParser().parseFromString(level.drawing, "image/svg+xml").documentElement : picture;
    const { width: right, height: bottom } = drawn.viewBox.baseVal;
    level.sheet = { left: 0, top: 0, right, bottom };
    level.parts = [document.adoptNode(drawn.querySelector("g"))];
  }
  world.replaceChildren(...level.parts);
  sheet = level.sheet;
  boxes = level.boxes.map(([id, at, shows, title, note]) => ({ element: $(id), at, shows, title, note, area: areaOf($(id)) }));
  level.edges ??= [...world.querySelectorAll(".edge")];
  level.carrying ??= steps.map(arrowOf); // along which arrow each step goes
  for (const { element: drawn, at } of boxes) {
    drawn.setAttribute("role", "button");
    drawn.setAttribute("tabindex", -1);
    drawn.setAttribute("aria-pressed", pinned === at);
  }
  $("level").value = k;
}

// The same with what happens now in view.
function open(k) {
  enter(k);
  drawMap();
  [chosen, room] = [null, { width: 0, height: 0 }];
  show();
  measure();
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
  $("level").addEventListener("change", () => open(Number($("level").value)));
  enter(graph.level);
}
