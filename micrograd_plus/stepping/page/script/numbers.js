// The graph and the steps of its pass, with numbers that follow the leaves.

const NAMED = { __proto__: null, nan: NaN, inf: Infinity, "-inf": -Infinity };
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
  return { ...step, upstream, local, contribution, before, after, dust: step.dust ?? [] };
});
for (const i of graph.dust) nodes[i].dust = true; // nothing but what rounding left
const made = nodes.map((_, i) => i).filter((i) => nodes[i].op && !nodes[i].inner);
const rank = new Map(made.map((i, k) => [i, k]));
const leaves = nodes.map((_, i) => i).filter((i) => !nodes[i].op && !nodes[i].inner);
const final = made.length + steps.length;
const whole = graph.whole ? unfolded(graph.whole) : null; // of a folded graph all that is in it

const data = (arg, all = nodes) => (typeof arg === "object" ? all[arg.node].data : arg);

// Whether a number is no larger than a few roundings of the terms that made it, as dust.py says it.
const isDust = (x, size) => x !== 0 && Math.abs(x) <= 4 * 2 ** -53 * size && size < Infinity;
const sizeOf = (node) => node.size ?? Math.abs(node.data);

const slopeAndGate = (node, place, all) => slopeAt(node.op, place, [node.data, ...node.args.map((arg) => data(arg, all))]);

// The size of the terms that made a value: each argument's, times its local derivative.
function sizeNode(node, all) {
  let terms = 0;
  node.args.forEach((arg, place) => {
    if (typeof arg !== "object" || !("node" in arg)) terms += node.op === "add" || node.op === "sub" ? Math.abs(arg) : 0;
    else {
      const [slope, passes] = slopeAndGate(node, place, all);
      if (passes && slope !== 0) terms += Math.abs(slope) * sizeOf(all[arg.node]);
    }
  });
  node.size = Math.max(Math.abs(node.data), terms);
  node.dust = isDust(node.data, node.size);
}

// Values and gradients from the leaves; where the graph is folded, through all that is inside of its boxes.
function recompute() {
  if (!whole) return compute(nodes, steps, graph.root, held);
  compute(whole.nodes, whole.steps, whole.at[graph.root], whole.held);
  nodes.forEach((node, i) => {
    const { data: number, dust } = whole.nodes[whole.at[i]];
    Object.assign(node, { data: number, dust });
  });
  return steps.forEach((step, k) => {
    const { upstream, local, contribution, masked, before, after, dust } = whole.steps[whole.places[k]];
    Object.assign(step, { upstream, local, contribution, masked, before, after, dust });
  });
}

// The same for a graph, as Python computes them.
function compute(all, taken, root, had) {
  const operations = all.filter((node) => node.op && !node.inner);
  for (const node of operations) node.data = forward[node.op](...node.args.map((arg) => data(arg, all)));
  for (const node of operations) sizeNode(node, all);
  const sums = new Map();
  const sizes = new Map(); // of the terms of each gradient
  const reached = new Set([root]); // where a gradient comes; elsewhere not even 0 · inf does
  for (const step of taken) {
    const sum = sums.get(step.argument) ?? 0;
    let after = 1;
    if (step.node === null) {
      [step.upstream, step.local, step.contribution] = [1, 1, 1];
    } else {
      const node = all[step.node];
      const [slope, passes] = slopeAndGate(node, step.place, all);
      step.upstream = sums.get(step.node) ?? 0;
      step.local = slope;
      const comes = reached.has(step.node);
      if (comes && passes) reached.add(step.argument);
      step.masked = !passes || (!comes && !Number.isFinite(step.local));
      step.contribution = step.masked ? 0 : step.upstream * step.local;
      const idle = step.upstream === 0 && step.contribution === 0 && node.op !== "add"; // -0 stays
      after = step.masked || idle ? sum : node.op === "add" && sum === 0 ? step.contribution : sum + step.contribution;
    }
    const kept = step.argument in had ? had[step.argument] : null;
    step.before = kept === null ? sum : sum + kept;
    step.after = kept === null ? after : after + kept;
    sums.set(step.argument, after);
    const came = step.node === null ? 0 : (sizes.get(step.node) ?? 0);
    const given = step.node === null || step.masked ? 0 : came * Math.abs(step.local);
    const before = sizes.get(step.argument) ?? 0;
    sizes.set(step.argument, step.node === null ? Math.abs(after) : before + given);
    const own = Math.abs(kept ?? 0);
    const terms = { upstream: came, contribution: given, before: before + own, after: sizes.get(step.argument) + own };
    step.dust = Object.keys(terms).filter((column) => isDust(step[column], terms[column]));
  }
}
