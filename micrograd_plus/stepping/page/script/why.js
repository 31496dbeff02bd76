// Why a step is as it is: its rule in words, the line of code that made the node, and its slope as a tangent.

function showWhy(step, value) {
  const passes = step && step.node !== null;
  const rule = passes && Object.hasOwn(graph.why, nodes[step.node].op) ? graph.why[nodes[step.node].op] : undefined;
  $("why").textContent = rule ? `${rule[0].toUpperCase()}${rule.slice(1)}.` : "";
  const node = passes ? step.node : value;
  const source = node === null ? null : sourceOf(node);
  const hidden = backwardAt() > 0 ? "What passes on here lies inside of a box, with its slope: open the graph to see it." : "Once gradients flow, the slope of each operation is drawn here.";
  const told = step?.kind === "hook" ? "A hook, which is Python, makes this gradient: it has no slope." : hidden;
  const drawn = passes ? slopeOf(step) : element("p", told, { className: "dim" });
  $("lesson").replaceChildren(element("h2", passes ? `Why: the slope of ${name(step.node)}` : "Why"), ...(source ? [source] : []), drawn);
}

// The line of code that made a node, lit, between its neighbours; null where nobody kept it.
function sourceOf(i) {
  const made = graph.sources?.made[i];
  if (!made) return null;
  const [file, number, start, stop] = made;
  const { name: called, lines } = graph.sources.files[file];
  const shown = element("pre", "", { className: "code" });
  for (let k = number - 2; k <= number + 2; k += 1) {
    if (!(k in lines)) continue;
    const row = element("span", "", { className: k === number ? "line lit" : "line" });
    row.append(element("span", String(k), { className: "number" }), ...(k === number ? litPart(lines[k], start, stop) : [lines[k]]), "\n");
    shown.append(row);
  }
  const place = element("figcaption", `${called}, line ${number}`);
  const figure = element("figure", "", { className: "source" });
  figure.append(place, ...(shown.childNodes.length ? [shown] : []));
  return figure;
}

// A line, and in it the letters that made the node, counted without the indentation.
function litPart(line, start, stop) {
  if (start === null) return [line];
  const letters = [...line];
  const indent = letters.length - [...line.trimStart()].length;
  const part = (from, to) => letters.slice(from, to).join("");
  return [part(0, indent + start), element("mark", part(indent + start, indent + stop)), part(indent + stop)];
}
