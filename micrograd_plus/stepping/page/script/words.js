// Numbers, values and steps in words, as Python writes them.

// So many significant digits, as numerals.py writes them: zero has no sign.
function rounded(x, digits) {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
  if (x === 0) return "0";
  const [figures, power] = x.toExponential(digits - 1).split("e").map(Number);
  if (power < -4 || power >= digits) {
    const size = String(Math.abs(power)).padStart(2, "0");
    return `${figures}e${power < 0 ? "-" : "+"}${size}`;
  }
  return String(Number(Number(x.toExponential(digits - 1)).toFixed(Math.max(0, digits - 1 - power))));
}
const shorter = (x) => rounded(x, 4); // in boxes and on arrows

// Six digits in lines of text, and a point to tell that it is a float.
function short(x) {
  const text = rounded(x, 6);
  return !Number.isFinite(x) || /[.e]/.test(text) ? text : `${text}.0`;
}
const enclosed = (x) => (short(x).startsWith("-") ? `(${short(x)})` : short(x));
const name = (i) => nodes[i].name;
const ratio = (i, j) => `∂${name(i)}/∂${name(j)}`;

const DUST = "≈0"; // for what rounding left
const boxed = (x, dust) => (dust ? DUST : shorter(x)); // what stands in a box
const inStep = (step, column) => (step.dust.includes(column) ? DUST : short(step[column]));

// A step as Python's Step.pieces writes it.
function pieces(step) {
  const goes = [["", ` (${name(step.argument)}.grad: `], ["before", inStep(step, "before")], ["", " → "]];
  goes.push(["after", inStep(step, "after")], ["", ")"]);
  const left = ["after", "contribution", "upstream"].find((column) => step.dust.includes(column));
  if (left) goes.push(["", `, ${DUST} is ${short(step[left])}, left by rounding`]);
  const gradient = ["target", ratio(graph.root, step.argument)];
  const given = ["contribution", inStep(step, "contribution")];
  if (step.node === null) {
    const again = `, afresh: ${name(graph.root)}.backward() has run already`;
    const by = { hook: ", made so by a hook", again }[step.kind] ?? "";
    return [gradient, ["", " = "], given, ["", by], ...goes];
  }
  const upstream = ["upstream", inStep(step, "upstream")];
  const text = [gradient, ["", " += "], ["upstream", ratio(graph.root, step.node)], ["", " · "]];
  text.push(["local", ratio(step.node, step.argument)], ["", " = "]);
  if (step.formula) text.push(upstream, ["", " · "], ["local", step.formula], ["", " = "]);
  text.push(upstream, ["", " · "], ["local", enclosed(step.local)], ["", " = "], given);
  if (step.masked) text.push(["masked", ", masked"]);
  return [...text, ...goes];
}

const given = (step) => (step.dust.includes("contribution") ? 0 : step.contribution); // nothing where only rounding left something

// What goes from one box to others at once: to those that bear a number how much, else only to which.
function together(some) {
  const source = boxes[home[some[0].node]];
  const told = new Map();
  for (const step of some) {
    const { title, shows, note } = boxes[home[step.argument]];
    told.set(shows ? step : title, shows ? [["target", `${name(step.argument)}.grad`], ["", " += "], ["contribution", short(given(step))]] : [["target", `${title} (${note})`]]);
  }
  const listed = [...told.values()].slice(0, 4).flatMap((each, k) => (k ? [["", ", "], ...each] : each));
  const more = told.size > 4 ? [["", `, … and ${told.size - 4} more`]] : [];
  return [["upstream", source.title || name(source.at)], ["", " passes on: "], ...listed, ...more];
}

// A value as Python's forward_text writes it.
function valuePieces(i) {
  const node = nodes[i];
  if (!node.op) return [["target", name(i)], ["", " = "], ["value", short(node.data)]];
  const inNumbers = (arg) => (typeof arg === "object" && nodes[arg.node].dust ? DUST : enclosed(data(arg)));
  const words = node.parts.map((x) => (typeof x === "number" ? name(node.args[x].node) : x)).join("");
  const numbers = node.parts.map((x) => (typeof x === "number" ? inNumbers(node.args[x]) : x)).join("");
  let value = node.dust ? `${DUST} (${short(node.data)}, left by rounding)` : short(node.data);
  const now = short(real(graph.now[i] ?? node.data)); // another number where data were written since
  if (now !== short(node.data)) value = `${now}, but ${name(i)}.data is ${value}, from before data were written`;
  return [["target", name(i)], ["", " = "], ["local", words], ["", ` = ${numbers} = `], ["value", value]];
}
const plain = (some) => some.map(([, text]) => text).join("");
