// From the loss to one leaf: the paths that lead there, factor by factor, and their sum.

const ENTRIES = 12; // paths that are shown; the others are taken together by what they end in
const LONG = 9; // nodes of a path that are named
let traveller = null; // the leaf whose paths are asked for
let walked = null; // the path that is lit

// For each node what leads into it: who used it, with which local slope; and what the uses give together.
function incoming() {
  const into = nodes.map(() => []);
  const sums = nodes.map(() => 0);
  for (const step of steps) {
    if (step.kind !== "chain") sums[step.argument] = step.contribution;
    else if (!step.condition) {
      into[step.argument].push(step);
      sums[step.argument] += step.contribution;
    }
  }
  return { into, sums, closed: new Set(steps.filter((step) => step.kind === "hook").map((step) => step.argument)) };
}

// How many paths lead from the loss to each node: no path is walked for that.
function pathCounts(into) {
  const counts = nodes.map(() => 0n);
  for (let i = nodes.length - 1; i >= 0; i -= 1) {
    counts[i] = i === graph.root ? 1n : into[i].reduce((sum, step) => sum + counts[step.node], 0n);
  }
  return counts;
}

// Found backwards from the leaf, as ledgers.py does: always the end with the largest contribution grows first.
function pathsTo(leaf) {
  const { into, sums, closed } = incoming();
  const counts = pathCounts(into);
  const given = (tail) => (tail.masked ? 0 : sums[tail.start] * tail.slope);
  const rank = (x) => (Number.isNaN(x) ? -Infinity : -Math.abs(x));
  const growing = counts[leaf] > 0n ? [{ start: leaf, steps: [], slope: 1, masked: false, rank: 0 }] : [];
  const done = [];
  while (growing.length) {
    const [tail] = growing.splice(growing.reduce((best, each, k) => (each.rank < growing[best].rank ? k : best), 0), 1);
    const edges = into[tail.start];
    if (tail.start === graph.root || closed.has(tail.start) || edges.length > ENTRIES - done.length - growing.length) {
      done.push({ ...tail, upstream: sums[tail.start], contribution: given(tail), count: counts[tail.start] });
      continue;
    }
    for (const step of edges) {
      const longer = { start: step.node, steps: [step, ...tail.steps], slope: step.local * tail.slope, masked: step.masked || tail.masked };
      growing.push({ ...longer, rank: rank(given(longer)) });
    }
  }
  return { entries: done.sort((a, b) => rank(a.contribution) - rank(b.contribution)), counts, into, sums };
}

const counted = (n) => `${n > 10n ** 9n ? `about 10^${String(n).length - 1}` : Number(n).toLocaleString("en")} ${n === 1n ? "path" : "paths"}`;

// The nodes and arrows that lie on a path to the leaf.
function onTheWay(leaf, into, counts) {
  const on = new Set(counts[leaf] > 0n ? [leaf] : []);
  const arrows = new Set();
  for (let i = leaf; i < nodes.length; i += 1) {
    if (on.has(i)) {
      for (const step of into[i]) {
        if (counts[step.node] === 0n) continue;
        on.add(step.node);
        arrows.add(arrowOf(step));
      }
    }
  }
  return { on, arrows };
}

function shortened(parts) {
  if (parts.length <= LONG) return parts;
  return [...parts.slice(0, 4), "…", ...parts.slice(-4)];
}

function pathRow(entry, k) {
  const whole = entry.start === graph.root;
  const stops = shortened([entry.start, ...entry.steps.map((step) => step.argument)].map(name));
  const way = [...(whole ? [] : [name(graph.root), `… (${counted(entry.count)})`]), ...stops].join(" → ");
  const slopes = entry.steps.map((step) => (step.masked ? "masked" : enclosed(step.local)));
  const factors = shortened(whole && slopes.length ? slopes : [enclosed(entry.upstream), ...slopes]).join(" · ");
  const row = element("button", "", { className: "path" });
  row.setAttribute("aria-pressed", String(walked === k));
  const given = element("span", short(entry.contribution), { className: `number ${entry.contribution < 0 ? "minus" : "plus"}` });
  row.append(element("span", way, { className: "way" }), element("span", `${factors} =`, { className: "factors" }), given);
  row.addEventListener("click", () => {
    walked = walked === k ? null : k;
    showPaths();
  });
  const item = element("li");
  item.append(row);
  return item;
}

function showPaths() {
  const list = $("ways");
  const ways = () => [...list.querySelectorAll(".path")];
  const here = ways().indexOf(document.activeElement); // the focus stays, as in the story
  document.querySelectorAll(".aside, .way-lit").forEach((drawn) => drawn.classList.remove("aside", "way-lit"));
  if (traveller === null) return list.replaceChildren();
  const { entries, counts, into, sums } = pathsTo(traveller);
  const { on, arrows } = onTheWay(traveller, into, counts);
  const there = new Set([...on].map((i) => home[i]));
  boxes.forEach((box, k) => box.element.classList.toggle("aside", !there.has(k)));
  document.querySelectorAll(".edge").forEach((edge) => edge.classList.toggle("aside", !arrows.has(edge)));
  for (const step of entries[walked]?.steps ?? []) arrowOf(step)?.classList.add("way-lit");
  if (!entries.length) return list.replaceChildren(element("p", `No path leads from ${name(graph.root)} to ${name(traveller)}.`, { className: "dim" }));
  const rows = element("ol");
  rows.append(...entries.map(pathRow));
  const size = entries.reduce((sum, entry) => sum + Math.abs(entry.contribution), 0);
  const sum = isDust(sums[traveller], size) ? `${DUST} (${short(sums[traveller])}, left by rounding)` : short(sums[traveller]);
  const together = `The sum over ${counted(counts[traveller])}: ${ratio(graph.root, traveller)} = ${sum}`;
  list.replaceChildren(rows, element("p", together, { className: "sum" }));
  return ways()[here]?.focus({ preventScroll: true });
}

function offerPaths() {
  // in a wrong order they are not what adds up, and in a folded graph not all of them are known
  $("paths").hidden = Object.keys(graph.wrong).length > 0 || nodes.some((node) => node.inner);
  const choice = element("select", "", { id: "traveller" });
  choice.append(element("option", "no leaf chosen", { value: "" }), ...leaves.map((i) => element("option", name(i), { value: String(i) })));
  choice.addEventListener("change", () => {
    traveller = choice.value === "" ? null : Number(choice.value);
    walked = null;
    showPaths();
  });
  const label = element("label", `From ${name(graph.root)} to `, { htmlFor: "traveller" });
  label.append(choice);
  $("paths").replaceChildren(element("h2", "The paths to a leaf"), label, element("div", "", { id: "ways" }));
}
offerPaths();
