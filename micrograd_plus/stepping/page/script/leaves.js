// Leaves whose numbers can be changed.

function offerLeaves() {
  const title = element("h2", graph.fixed ? "The leaves are fixed" : "Change a leaf");
  const why = graph.fixed ? `Here ${graph.fixed}.` : "Type or drag: values and gradients follow.";
  const rows = element("div", "", { className: "rows" });
  for (const i of graph.fixed ? [] : leaves) {
    const given = nodes[i].data;
    const span = Number.isFinite(given) ? 2 * Math.max(1, Math.abs(given)) : 2;
    const middle = Number.isFinite(given) ? given : 0;
    const row = element("div", "", { className: "leafrow" });
    const typed = element("input", "", { type: "number", step: "any", value: rounded(given, 6), title: given, id: `leaf${i}` });
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

// A page around this one may set leaves, as a film of a training does: {leaves: [[which node, its number], ...]}.
window.addEventListener("message", ({ source, data: told }) => {
  if (source !== window.parent || graph.fixed || !Array.isArray(told?.leaves)) return;
  for (const [i, number] of told.leaves) if (nodes[i] && !nodes[i].op && Number.isFinite(number)) nodes[i].data = number;
  recompute();
  offerLeaves();
  show();
});
