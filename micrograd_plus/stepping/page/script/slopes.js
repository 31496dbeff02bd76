// The local slope of a step, drawn as a tangent on the function's graph at the present input.

const PLOT = { wide: 260, high: 150, points: 161 };
const drawable = (x) => Math.abs(x) < 1e100; // what lies beyond, and nan, would overflow in a plot

function shape(kind, attributes, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", kind);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text) made.textContent = text;
  return made;
}

function slopeOf(step) {
  const node = nodes[step.node];
  const at = node.args.map((arg) => data(arg));
  const x = at[step.place];
  const calculated = forward[node.op];
  const others = node.args.flatMap((arg, k) => (k !== step.place && typeof arg === "object" ? [`${name(arg.node)} stays ${short(at[k])}`] : []));
  const what = `${name(step.node)} as a function of ${name(step.argument)}`;
  const told = `at ${name(step.argument)} = ${short(x)} its slope is ${short(step.local)}`;
  const figure = element("figure", "", { className: "slope" });
  if (calculated && drawable(x) && drawable(node.data)) {
    figure.append(plot((t) => calculated(...at.map((other, k) => (k === step.place ? t : other))), x, node.data, step.local, `${what}: ${told}`));
  }
  const same = others.length && node.args.filter((arg) => typeof arg === "object" && arg.node === step.argument).length > 1;
  const aside = same ? " (the other factor or term, the same number, stays)" : others.length ? ` (${others.join(", ")})` : "";
  figure.append(element("figcaption", `${what}${aside}; ${told}.`));
  return figure;
}

function plot(curve, x, y, slope, label) {
  const { wide, high, points } = PLOT;
  const half = Math.max(2.5, 1.6 * Math.abs(x));
  const ts = Array.from({ length: points }, (_, k) => x + half * ((2 * k) / (points - 1) - 1));
  const ys = ts.map(curve);
  const [low, high_] = heights(ys.filter(drawable), y, Math.abs(slope) * half);
  const across = (t) => (wide * (t - x + half)) / (2 * half);
  const up = (value) => Math.min(Math.max(high * (1 - (value - low) / (high_ - low)), -9999), 9999);
  const svg = shape("svg", { viewBox: `0 0 ${wide} ${high}`, class: "plot", role: "img", "aria-label": label });
  if (low < 0 && high_ > 0) svg.append(shape("path", { class: "axis", d: `M0 ${up(0)}H${wide}` }));
  if (Math.abs(x) < half) svg.append(shape("path", { class: "axis", d: `M${across(0)} 0V${high}` }));
  svg.append(shape("path", { class: "curve", d: traced(ts.map(across), ys, up, high) }));
  if (drawable(slope)) {
    const ends = [-half, half].map((dx) => `${across(x + dx).toFixed(1)} ${up(y + slope * dx).toFixed(3)}`);
    svg.append(shape("path", { class: "tangent", d: `M${ends.join("L")}` }));
  } else if (!Number.isNaN(slope)) {
    svg.append(shape("path", { class: "tangent", d: `M${across(x)} 0V${high}` }));
  }
  svg.append(shape("circle", { class: "here", cx: across(x), cy: up(y), r: 4 }));
  return svg;
}

// From where to where the plot goes: what the curve does nearby and the tangent, not what it does at a pole.
function heights(ys, y, rise) {
  const away = ys.map((each) => Math.abs(each - y)).sort((a, b) => a - b);
  const spread = away.at(-1) ?? 0;
  const near = Math.max(drawable(rise) ? 1.2 * rise : 0, 3 * (away[away.length >> 1] ?? 0));
  const reach = near > 1e-6 * spread ? near : spread; // flat around here: then all of it
  const low = Math.max(Math.min(...ys, y), y - reach);
  const high = Math.min(Math.max(...ys, y), y + reach);
  const margin = high > low ? 0.1 * (high - low) : Math.max(1, Math.abs(y));
  return [low - margin, high + margin];
}

// The curve as a path, broken where it jumps or has no value.
function traced(xs, ys, up, high) {
  let path = "";
  let before = null;
  ys.forEach((value, k) => {
    const there = drawable(value) ? up(value) : null;
    if (there !== null) path += `${before === null || Math.abs(there - before) > 0.9 * high ? "M" : "L"}${xs[k].toFixed(1)} ${there.toFixed(1)}`;
    before = there;
  });
  return path || "M0 0";
}
