// A training that plays: what the model answers, its weights and the loss at each snapshot; an example's graph on demand.

const film = JSON.parse($("data").textContent);
const final = film.snapshots.length - 1;
const nextStop = (k) => k + 1;
const lastStop = (k) => k - 1;
const answers = film.answers;
let opened = null; // which example's graph is open

// Frames from their changes: an array of bytes for each snapshot.
async function frames(text) {
  const bytes = await unpacked(text);
  const size = bytes.length / (final + 1);
  for (let i = size; i < bytes.length; i++) bytes[i] += bytes[i - size];
  return Array.from({ length: final + 1 }, (_, k) => bytes.subarray(k * size, (k + 1) * size));
}

const signed = (byte) => (byte === 128 ? NaN : byte < 128 ? byte / 127 : (byte - 256) / 127);

// ------------------------------------------------------------------------------------------------------------ colours

function colour(name) {
  const hex = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
}
let palette = {};
function readColours() {
  for (const name of ["card", "text", "blue", "orange", "dim"]) palette[name] = colour(name);
  palette.classes = [...Array(8).keys()].map((i) => colour(`class${i}`));
}

function paint(image, at, paint, share) {
  for (let c = 0; c < 3; c++) image.data[at + c] = palette.card[c] + share * (paint[c] - palette.card[c]);
  image.data[at + 3] = 255;
}

// The colour of a number's sign, the fuller the larger it is; nan is grey.
function paintSigned(image, at, number, least) {
  const known = !Number.isNaN(number);
  const tone = known ? (number > 0 ? palette.blue : palette.orange) : palette.dim;
  paint(image, at, tone, !known ? 0.5 : number === 0 ? 0 : least + (1 - least) * Math.abs(number));
}

// ------------------------------------------------------------------------------------------------- what the model answers

const SCALE = 8; // pixels of a cell
const classColour = (kind) => (answers.several ? `var(--class${kind % 8})` : kind ? "var(--blue)" : "var(--orange)");

function buildPlane() {
  const [low, high, bottom, top] = answers.box;
  const wide = answers.columns * SCALE;
  const tall = answers.rows * SCALE;
  const picture = element("div", "", { className: "picture" });
  const canvas = element("canvas", "", { id: "plane", width: wide, height: tall });
  canvas.setAttribute("role", "img");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${wide} ${tall}`);
  svg.setAttribute("role", "group");
  svg.setAttribute("aria-label", "Examples; arrow keys move between them, Enter opens one");
  answers.points.forEach(([x, y], i) => {
    const mark = document.createElementNS("http://www.w3.org/2000/svg", answers.classes[i] % 2 ? "rect" : "circle");
    const [px, py] = [(wide * (x - low)) / (high - low), (tall * (top - y)) / (top - bottom)];
    const place = answers.classes[i] % 2 ? { x: px - 4.5, y: py - 4.5, width: 9, height: 9 } : { cx: px, cy: py, r: 5 };
    for (const [name, value] of Object.entries(place)) mark.setAttribute(name, value);
    mark.style.fill = classColour(answers.classes[i]);
    mark.setAttribute("tabindex", i ? "-1" : "0");
    mark.setAttribute("role", "button");
    mark.classList.add("point");
    mark.addEventListener("click", () => openGraph(i));
    svg.append(mark);
  });
  svg.addEventListener("keydown", movesAmong([...svg.children]));
  picture.append(canvas, svg);
  const told = answers.judged ? "; a thick edge: answered wrongly; large: the one whose graph is shown" : "";
  const caption = `what the model answers from ${short(low)} to ${short(high)}, across, and ${short(bottom)} to ${short(top)}, up; click a point for its graph${told}`;
  $("answers").append(picture, element("figcaption", caption));
}

// One tab stop for all points: arrow keys move on, Enter and space open.
function movesAmong(marks) {
  return (event) => {
    const here = marks.indexOf(event.target);
    const to = { ArrowRight: here + 1, ArrowDown: here + 1, ArrowLeft: here - 1, ArrowUp: here - 1, Home: 0, End: marks.length - 1 }[event.key];
    if (to !== undefined) {
      const next = marks[Math.min(Math.max(to, 0), marks.length - 1)];
      marks[here].setAttribute("tabindex", "-1");
      next.setAttribute("tabindex", "0");
      next.focus();
    } else if (event.key === "Enter" || event.key === " ") {
      openGraph(here);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
}

// A line where the answer changes.
function drawBoundary(image, sides) {
  const wide = image.width;
  for (let k = 0; k < sides.length - wide - 1; k++) {
    const ends = (k + 1) % wide === 0;
    if (sides[k] !== sides[k + wide] || (!ends && sides[k] !== sides[k + 1])) image.data.set([...palette.text, 255], 4 * k);
  }
}

function showPlane() {
  const canvas = $("plane");
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const field = answers.field[position];
  const { columns, rows, several } = answers;
  const sides = new Uint8Array(canvas.width * canvas.height);
  const cell = (i, j) => signed(field[j * columns + i]);
  for (let y = 0; y < canvas.height; y++) {
    const v = (y / (canvas.height - 1)) * (rows - 1);
    const j = Math.min(Math.floor(v), rows - 2);
    for (let x = 0; x < canvas.width; x++) {
      const u = (x / (canvas.width - 1)) * (columns - 1);
      const at = 4 * (y * canvas.width + x);
      if (several) {
        paint(image, at, palette.classes[field[Math.round(v) * columns + Math.round(u)] % 8], 0.45);
        continue;
      }
      const i = Math.min(Math.floor(u), columns - 2);
      const [s, t] = [u - i, v - j];
      const number = (1 - t) * ((1 - s) * cell(i, j) + s * cell(i + 1, j)) + t * ((1 - s) * cell(i, j + 1) + s * cell(i + 1, j + 1));
      sides[at / 4] = number > 0 ? 1 : 0;
      paintSigned(image, at, 0.4 * number, 0.2);
    }
  }
  if (!several) drawBoundary(image, sides);
  context.putImageData(image, 0, 0);
  canvas.setAttribute("aria-label", `The plane, coloured by the model's answer. ${words()}`);
  [...document.querySelectorAll(".point")].forEach((mark, i) => {
    const wrong = answers.wrong[position][i] === 1;
    mark.classList.toggle("wrong", wrong);
    const verdict = answers.judged ? `, answered ${wrong ? "wrongly" : "rightly"}` : "";
    mark.setAttribute("aria-label", `Example ${film.examples[i]} at ${answers.points[i].join(", ")}, class ${answers.classes[i]}${verdict}`);
  });
}

function buildImages() {
  const cards = element("div", "", { id: "cards" });
  answers.pixels.forEach((pixels, i) => {
    const card = element("button", "", { className: "card" });
    const canvas = element("canvas", "", { className: "image", width: answers.side, height: answers.side });
    const context = canvas.getContext("2d");
    const image = context.createImageData(answers.side, answers.side);
    pixels.forEach((grey, k) => image.data.set([grey, grey, grey, 255], 4 * k));
    context.putImageData(image, 0, 0);
    card.append(canvas, element("canvas", "", { className: "bars", width: 120, height: 30 }), element("span", "", { className: "says" }));
    card.addEventListener("click", () => openGraph(i));
    cards.append(card);
  });
  $("answers").append(cards, element("figcaption", `some images; the bars are the ${answers.shares_are}; click an image for its graph`));
}

function showImages() {
  [...document.querySelectorAll(".card")].forEach((card, i) => {
    const said = answers.said[position][i];
    const wrong = answers.wrong[position][i] === 1;
    const is = answers.classes === null ? "" : `${answers.classes[i]}, `;
    card.querySelector(".says").textContent = `${is}says ${said}`;
    card.classList.toggle("wrong", wrong);
    card.setAttribute("aria-label", `Example ${film.examples[i]}: ${is && `it is ${is}`}the model says ${said}`);
    const bars = card.querySelector(".bars");
    const context = bars.getContext("2d");
    const count = answers.outputs;
    const wide = bars.width / count;
    context.clearRect(0, 0, bars.width, bars.height);
    for (let k = 0; k < count; k++) {
      const share = Math.max(signed(answers.shares[position][i * count + k]), 0) || 0;
      const right = answers.classes !== null && k === answers.classes[i];
      context.fillStyle = `rgb(${(right ? palette.blue : k === said ? palette.orange : palette.dim).join(",")})`;
      context.fillRect(k * wide + 1, bars.height - 1 - share * (bars.height - 2), wide - 2, share * (bars.height - 2) + 1);
    }
  });
}

// -------------------------------------------------------------------------------------------------------------- weights

// Where the picture of a layer has each weight: rows of them, or images side by side.
function arranged(panel) {
  const count = panel.weights[0].length;
  const { columns, tile } = panel;
  if (!tile) return { wide: columns, tall: Math.ceil(count / columns), place: (k) => [k % columns, Math.floor(k / columns)] };
  const size = tile * tile;
  const across = Math.ceil(Math.sqrt((1.6 * count) / size));
  const down = Math.ceil(count / size / across);
  const place = (k) => {
    const [image, pixel] = [Math.floor(k / size), k % size];
    return [(image % across) * (tile + 1) + (pixel % tile), Math.floor(image / across) * (tile + 1) + Math.floor(pixel / tile)];
  };
  return { wide: across * (tile + 1) - 1, tall: down * (tile + 1) - 1, place };
}

function buildWeights() {
  for (const panel of film.weights) {
    const { wide, tall, place } = arranged(panel);
    panel.place = place;
    panel.canvas = element("canvas", "", { className: "matrix", width: wide, height: tall });
    panel.canvas.style.width = panel.tile ? "100%" : `${10 * wide}px`;
    panel.canvas.setAttribute("role", "img");
    const block = element("div", "", { className: panel.tile ? "layer wide" : "layer" });
    if (!panel.tile) block.style.width = `${Math.max(110, 10 * wide)}px`;
    block.append(element("p", `${panel.title}: ±${panel.full}`, { className: "caption" }), panel.canvas);
    $("weights").append(block);
  }
  $("weights").append(element("figcaption", "weights: blue is positive, orange negative, strongest at the number after ±"));
  $("weights").hidden = film.weights.length === 0;
}

function showWeights() {
  for (const panel of film.weights) {
    const context = panel.canvas.getContext("2d");
    const image = context.createImageData(panel.canvas.width, panel.canvas.height);
    panel.weights[position].forEach((byte, k) => {
      const [x, y] = panel.place(k);
      paintSigned(image, 4 * (y * panel.canvas.width + x), signed(byte), 0);
    });
    context.putImageData(image, 0, 0);
    panel.canvas.setAttribute("aria-label", `${panel.title} after step ${film.snapshots[position][1]}`);
  }
}

// ------------------------------------------------------------------------------------------------------ an example's graph

async function openGraph(i) {
  pause();
  opened = i;
  const marks = [...document.querySelectorAll(".point, .card")];
  marks.forEach((mark, k) => mark.classList.toggle("chosen", k === i));
  const close = element("button", "Close");
  close.addEventListener("click", () => {
    opened = null;
    $("opened").hidden = true;
    marks.forEach((mark) => mark.classList.remove("chosen"));
    marks[i].focus();
  });
  const head = element("header");
  head.append(element("strong", "", { id: "which" }), close);
  $("opened").hidden = false;
  const graph = film.graphs.examples[i];
  if (graph) {
    const frame = element("iframe", "", { title: `The graph of the loss of example ${film.examples[i]}` });
    frame.setAttribute("sandbox", "allow-scripts");
    frame.addEventListener("load", tellFrame);
    const page = new TextDecoder().decode(await unpacked(film.graphs.pages[graph[0]]));
    const { theme } = document.documentElement.dataset;
    frame.srcdoc = theme ? page.replace("<html", `<html data-theme="${theme}"`) : page;
    $("opened").replaceChildren(head, frame);
  } else {
    $("opened").replaceChildren(head, element("p", "", { id: "how" }));
  }
  showOpened();
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  $("opened").scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" });
}

function showOpened() {
  if (opened === null) return;
  const [which, step] = film.snapshots[position];
  $("which").textContent = `The loss of example ${film.examples[opened]} after step ${step}`;
  if ($("how")) {
    const { history, cost, X, Y } = film.names;
    const example = film.examples[opened];
    const code = `${history}.snapshots[${which}].restore(); mp.draw(${cost}(${X}[${example}], ${Y}[${example}]))`;
    $("how").replaceChildren(`No page can show it: ${film.graphs.why}. In Python: `, element("code", code), ", or mp.backprop(...) of the same.");
  }
  tellFrame();
}

// Tell the graph's page what stands in its leaves at this moment.
function tellFrame() {
  const frame = $("opened").querySelector("iframe");
  const graph = opened === null ? null : film.graphs.examples[opened];
  if (!frame || !graph) return;
  const [page, own] = graph;
  const count = film.graphs.numbers.length / (final + 1);
  const weights = film.graphs.parameters[page].map(([node, k]) => [node, film.graphs.numbers[position * count + k]]);
  frame.contentWindow.postMessage({ leaves: [...weights, ...own] }, "*");
}

// ------------------------------------------------------------------------------------------------------------- moving on

const short = (x) => (typeof x === "string" ? x : String(Number(x.toPrecision(3))));
function words() {
  const [, step, epoch, loss] = film.snapshots[position];
  const things = answers.kind === "plane" ? "points" : "images";
  const right = film.right === null ? "" : `, ${film.right[position]} of ${film.examples.length} ${things} right`;
  const of = step ? "on average over the batches just before" : "of the first batch";
  return `After step ${step.toLocaleString("en")}, epoch ${epoch}: loss ${short(loss)} ${of}${right}`;
}

function show() {
  $("status").textContent = words();
  $("slider").value = position;
  $("slider").setAttribute("aria-valuetext", words());
  const [x, y] = film.curve[position];
  for (const end of ["x1", "x2"]) $("now").setAttribute(end, x);
  $("dot").setAttribute("cx", x);
  $("dot").setAttribute("cy", y);
  $("curve").setAttribute("aria-label", `The curve of the loss. ${words()}`);
  if (answers.kind === "plane") showPlane();
  if (answers.kind === "images") showImages();
  showWeights();
  showOpened();
}

function scrub(event) {
  if (event.type === "pointermove" && !event.buttons) return;
  const box = $("curve").getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * $("curve").viewBox.baseVal.width;
  const far = film.curve.map(([its]) => Math.abs(its - x));
  jump(far.indexOf(Math.min(...far)));
}

function listen() {
  for (const kind of ["pointerdown", "pointermove"]) $("curve").addEventListener(kind, scrub);
  startPlaying();
  const dressed = () => {
    readColours();
    show();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dressed);
  new MutationObserver(dressed).observe(document.documentElement, { attributeFilter: ["data-theme"] }); // a notebook's
}

async function begin() {
  if (!unpacks) {
    $("status").textContent = tooOld;
    return;
  }
  for (const panel of [answers, ...film.weights]) {
    for (const [name, text] of Object.entries(panel.frames ?? {})) panel[name] = await frames(text);
  }
  if (film.graphs.numbers) film.graphs.numbers = new Float64Array((await unpacked(film.graphs.numbers)).buffer);
  readColours();
  if (answers.kind === "plane") buildPlane();
  else if (answers.kind === "images") buildImages();
  else $("answers").append(element("figcaption", `What the model answers is not shown: ${answers.why}.`));
  buildWeights();
  position = final; // at first the end
  listen();
  show();
  document.documentElement.dataset.ready = "yes";
}
begin();
