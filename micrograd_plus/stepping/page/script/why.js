// Why a step is as it is: the rule of its operation in words.

function showWhy(step) {
  const rule = step && step.node !== null ? graph.why[nodes[step.node].op] : undefined;
  $("why").textContent = rule ? `${rule[0].toUpperCase()}${rule.slice(1)}.` : "";
}
