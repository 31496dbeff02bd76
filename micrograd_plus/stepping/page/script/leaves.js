// Leaves whose numbers can be changed.

const ROWS = whole ? 60 : Infinity; // leaves that are listed; of more, each is asked for by its name
const MATCHES = 50; // names that are proposed at once
const offered = whole ? whole.offered : leaves.map((i) => ({ name: name(i), node: nodes[i] }));
let listed = offered.length > ROWS ? [] : offered;

function offerLeaves() {
  const title = element("h2", graph.fixed ? "The leaves are fixed" : "Change a leaf");
  const inside = whole ? " So do boxes, whose leaves are here, too." : "";
  const why = graph.fixed ? `Here ${graph.fixed}.` : `Type or drag: values and gradients follow.${inside} What Python decided, as by an if, stays${graph.decided && `; ${graph.decided}`}.`;
  const rows = element("div", "", { className: "rows" });
  if (!graph.fixed) rows.append(...listed.map(leafRow));
  const search = !graph.fixed && offered.length > ROWS ? [leafSearch()] : [];
  $("leaves").replaceChildren(title, element("p", why, { className: "dim" }), ...search, rows);
}

// A leaf's name, its number to type, and the same to drag.
function leafRow(leaf) {
  const given = leaf.node.data;
  const span = Number.isFinite(given) ? 2 * Math.max(1, Math.abs(given)) : 2;
  const middle = Number.isFinite(given) ? given : 0;
  const row = element("div", "", { className: "leafrow" });
  const id = `leaf${offered.indexOf(leaf)}`;
  const said = Number.isFinite(given) ? "" : rounded(given); // such an input takes no word
  const typed = element("input", "", { type: "number", step: "any", value: rounded(given, 6), placeholder: said, title: given, id });
  const range = { type: "range", min: middle - span, max: middle + span, step: span / 200, value: given };
  const dragged = element("input", "", range);
  dragged.setAttribute("aria-label", `${leaf.name}, to drag`);
  const change = (from, other) => {
    if (from.value === "" || !Number.isFinite(Number(from.value))) return;
    leaf.node.data = Number(from.value);
    other.value = from.value;
    followLeaves();
  };
  typed.addEventListener("input", () => change(typed, dragged));
  dragged.addEventListener("input", () => change(dragged, typed));
  const label = element("label", "", { htmlFor: typed.id, title: leaf.name });
  label.append(element("bdi", leaf.name));
  row.append(label, typed, dragged);
  return row;
}

// Of many leaves one is asked for by its name, of which a part is enough.
function leafSearch() {
  const names = new Map(offered.map((leaf) => [leaf.name, leaf]));
  const asked = element("input", "", { type: "text", id: "leafname", placeholder: offered[0].name, autocomplete: "off" });
  asked.setAttribute("list", "leafnames");
  const proposed = element("datalist", "", { id: "leafnames" });
  const propose = () => {
    const some = offered.filter((leaf) => leaf.name.includes(asked.value)).slice(0, MATCHES);
    proposed.replaceChildren(...some.map((leaf) => element("option", "", { value: leaf.name })));
    const found = names.get(asked.value);
    if (!found) return;
    listed = [found, ...listed.filter((leaf) => leaf !== found)];
    $("leaves").querySelector(".rows").replaceChildren(...listed.map(leafRow));
  };
  asked.addEventListener("input", propose);
  const label = element("label", `One of ${offered.length.toLocaleString("en")}: `, { htmlFor: asked.id, className: "leafsearch" });
  label.append(asked, proposed);
  propose();
  return label;
}

let following = 0;

// What was dragged is shown with the next picture of the browser: a large graph takes longer than a hand.
function followLeaves() {
  const now = () => {
    following = 0;
    recompute();
    show();
  };
  if (!whole) now();
  else following ||= requestAnimationFrame(now);
}

// A page around this one may set leaves, as a film of a training does: {leaves: [[which node, its number], ...]}.
window.addEventListener("message", ({ source, data: told }) => {
  if (source !== window.parent || graph.fixed || whole || !Array.isArray(told?.leaves)) return;
  for (const [i, number] of told.leaves) if (nodes[i] && !nodes[i].op && Number.isFinite(number)) nodes[i].data = number;
  recompute();
  offerLeaves();
  show();
});
