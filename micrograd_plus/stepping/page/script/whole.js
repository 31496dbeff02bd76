// A folded graph, of which the page shows boxes, with all that is inside of them: from it the boxes' numbers follow the
// leaves. live.py says what is given.
function unfolded({ ops, code, numbers, data: given, leaves: called, order, at, steps: places }) {
  const all = [];
  const offered = []; // the leaves
  let [c, n, leaf] = [0, 0, 0];
  const argument = (i) => {
    const back = code[c++];
    return back > 0 ? { node: i - back } : real(numbers[n++]);
  };
  while (c < code.length) {
    const i = all.length;
    const op = code[c++];
    if (op < 0) {
      all.push({ op: "", args: [], data: real(given[leaf]) });
      offered.push({ name: called[leaf], node: all[i] });
      leaf += 1;
    } else {
      const [operation, count] = ops[op];
      all.push({ op: operation, args: Array.from({ length: count }, () => argument(i)), data: NaN });
    }
  }
  const root = at[graph.root];
  const turns = order.length ? order : all.map((_, i) => all.length - 1 - i).filter((i) => all[i].op);
  const steps = [{ node: null, argument: root }];
  for (const i of turns) {
    all[i].args.forEach((arg, place) => {
      if (typeof arg === "object" && rules[all[i].op].partials[place]) steps.push({ node: i, argument: arg.node, place });
    });
  }
  return { nodes: all, steps, offered, at, places, held: Object.fromEntries(Object.entries(held).map(([i, grad]) => [at[i], grad])) };
}
