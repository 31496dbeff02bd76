// Numbers, values and steps in words, as Python writes them.

// Six significant digits, as numerals.py writes them.
function short(x) {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
  if (x === 0) return Object.is(x, -0) ? "-0.0" : "0.0";
  const [digits, power] = x.toExponential(5).split("e").map(Number);
  if (power < -4 || power >= 6) {
    const size = String(Math.abs(power)).padStart(2, "0");
    return `${digits}e${power < 0 ? "-" : "+"}${size}`;
  }
  const text = String(Number(Number(x.toExponential(5)).toFixed(Math.max(0, 5 - power))));
  return text.includes(".") ? text : `${text}.0`;
}
const enclosed = (x) => (short(x).startsWith("-") ? `(${short(x)})` : short(x));
const name = (i) => nodes[i].name;
const ratio = (i, j) => `∂${name(i)}/∂${name(j)}`;

// A step as Python's Step.pieces writes it.
function pieces(step) {
  const goes = [["", ` (${name(step.argument)}.grad: `], ["before", short(step.before)], ["", " → "]];
  goes.push(["after", short(step.after)], ["", ")"]);
  const gradient = ["target", ratio(graph.root, step.argument)];
  if (step.node === null) {
    const again = `, afresh: ${name(graph.root)}.backward() has run already`;
    const by = { hook: ", made so by a hook", again }[step.kind] ?? "";
    return [gradient, ["", " = "], ["contribution", short(step.contribution)], ["", by], ...goes];
  }
  const upstream = ["upstream", short(step.upstream)];
  const text = [gradient, ["", " += "], ["upstream", ratio(graph.root, step.node)], ["", " · "]];
  text.push(["local", ratio(step.node, step.argument)], ["", " = "]);
  if (step.formula) text.push(upstream, ["", " · "], ["local", step.formula], ["", " = "]);
  text.push(upstream, ["", " · "], ["local", enclosed(step.local)], ["", " = "]);
  text.push(["contribution", short(step.contribution)]);
  if (step.masked) text.push(["masked", ", masked"]);
  return [...text, ...goes];
}

// A value as Python's forward_text writes it.
function valuePieces(i) {
  const node = nodes[i];
  if (!node.op) return [["target", name(i)], ["", " = "], ["value", short(node.data)]];
  const words = node.parts.map((x) => (typeof x === "number" ? name(node.args[x].node) : x)).join("");
  const numbers = node.parts.map((x) => (typeof x === "number" ? enclosed(data(node.args[x])) : x)).join("");
  return [["target", name(i)], ["", " = "], ["local", words], ["", ` = ${numbers} = `], ["value", short(node.data)]];
}
const plain = (some) => some.map(([, text]) => text).join("");
