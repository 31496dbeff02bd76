// Which part of the graph is in view, and how large. d3-zoom moves it; here is decided where to.

const readable = (width = room.width) => (width < 600 ? 0.9 : 0.75); // the scale below which letters are small: the page opens no smaller
const OFTEN = 0.8; // the share of a walk's stops that can be read, at least, at the level at which the page opens
const LARGEST = 1.25;
const MARGIN = 10; // pixels around what has to be in view
const AHEAD = 40; // steps that may come into view with the present one, so that the graph moves less often

const frame = $("graph");
const picture = frame.querySelector("svg");
let room = { width: 0, height: 0 }; // of the frame, inside
let view = d3.zoomIdentity; // how the graph lies in the frame
let chosen = null; // the scale that the reader wants; null as long as it is the page's
let measured = false; // whether it is known how much room there is

// Where a box lies in the graph: its own place and that of what it stands in.
function areaOf(box) {
  const paper = box.querySelector(".paper");
  const [own, outer] = [box, box.parentNode].map((each) => each.transform.baseVal[0].matrix);
  const [left, top] = [own.e + outer.e, own.f + outer.f];
  return { left, top, right: left + Number(paper.getAttribute("width")), bottom: top + Number(paper.getAttribute("height")) };
}

const around = (some) => ({
  left: Math.min(...some.map((area) => area.left)),
  top: Math.min(...some.map((area) => area.top)),
  right: Math.max(...some.map((area) => area.right)),
  bottom: Math.max(...some.map((area) => area.bottom)),
});

// The scale at which an area just fits into the frame, or into one of another size.
function fitting(area, { width, height } = room) {
  return Math.min((width - 2 * MARGIN) / (area.right - area.left), (height - 2 * MARGIN) / (area.bottom - area.top));
}

const opening = () => Math.min(LARGEST, Math.max(readable(), fitting(sheet)));

const between = (least, x, most) => Math.min(Math.max(x, least), most);

// Where the graph begins along one axis: in the middle where all of it is in view, else with no empty room beside it.
function laid(now, whole, width, k) {
  return whole * k <= width ? (width - whole * k) / 2 : between(width - MARGIN - whole * k, now, MARGIN);
}

function isInView(area) {
  const [left, top] = view.apply([area.left, area.top]);
  const [right, bottom] = view.apply([area.right, area.bottom]);
  const slack = MARGIN / 2;
  return left >= slack && top >= slack && right <= room.width - slack && bottom <= room.height - slack;
}

// Bring some boxes wholly into view: at the scale that the reader wants, or, where they do not fit, just small enough.
function reveal(some, coming = []) {
  if (room.width === 0) return;
  const area = around(some);
  const k = Math.min(chosen ?? opening(), fitting(area));
  if (Math.abs(k / view.k - 1) > 1e-6 || !isInView(area)) centre(area, coming, k);
}

// Bring an area into the middle, and with it what is about to happen, as far as it fits.
function centre(area, coming, k) {
  for (const next of coming) {
    const larger = around([area, ...next]);
    if (fitting(larger) < k) break;
    area = larger;
  }
  const x = laid((room.width - (area.left + area.right) * k) / 2, sheet.right, room.width, k);
  const y = laid((room.height - (area.top + area.bottom) * k) / 2, sheet.bottom, room.height, k);
  moveTo(x, y, k);
}

// The whole graph, however small.
function fit() {
  chosen = Math.min(LARGEST, fitting(sheet));
  moveTo(laid(0, sheet.right, room.width, chosen), laid(0, sheet.bottom, room.height, chosen), chosen);
}

// Larger or smaller, around what happens now, or around the middle.
function enlarge(times) {
  chosen = between(0.05, view.k * times, 4);
  const now = around(happening());
  const centre = view.apply([(now.left + now.right) / 2, (now.top + now.bottom) / 2]);
  const point = isInView(now) ? centre : [room.width / 2, room.height / 2];
  frame.classList.add("gliding");
  d3.select(frame).call(zooming.scaleTo, chosen, point);
}

function moveTo(x, y, k) {
  frame.classList.add("gliding"); // the style sheet knows who wants nothing to move
  d3.select(frame).call(zooming.transform, d3.zoomIdentity.translate(x, y).scale(k));
}

const zooming = d3
  .zoom()
  .duration(0)
  .clickDistance(2) // a hand trembles
  .scaleExtent([0.05, 4])
  .extent(() => [[0, 0], [room.width, room.height]])
  .filter((event) => !event.button && (event.type !== "wheel" || wheelIsForTheGraph(event)))
  .on("zoom", ({ transform, sourceEvent }) => {
    if (sourceEvent) {
      frame.classList.remove("gliding"); // it follows the hand at once
      if (transform.k !== view.k) chosen = transform.k;
    }
    view = transform;
    picture.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.k})`; // of the whole: a part would be laid out anew
    showPart();
  });

// In a notebook a wheel goes on to the notebook, unless Ctrl is held, as a trackpad's pinch does, or the graph is in use.
function wheelIsForTheGraph(event) {
  return window === window.parent || event.ctrlKey || event.metaKey || frame.contains(document.activeElement);
}

// How often letters are at least half as large as they should be while all that a step tells of is in view.
function legible(size) {
  return level.stops.filter((k) => fitting(around(areasAt(k)), size) >= readable(size.width) / 2).length / level.stops.length;
}

// Go to a coarser level where the one that Python chose can't be read often enough in a frame of this size.
function coarsen(size) {
  const first = level;
  let [best, most] = [level, -1];
  for (const it of graph.levels.slice(graph.level)) {
    if (it !== level) enter(it);
    const share = legible(size);
    if (share > most) [best, most] = [it, share];
    if (share >= OFTEN) break;
  }
  if (best !== level) enter(best);
  if (best === first) return;
  drawMap();
  show();
}

// The frame is as high as the graph where that is not too high; what was in view stays there.
function measure() {
  const width = frame.clientWidth;
  if (width === 0) return; // not shown yet
  const below = window.innerHeight - frame.getBoundingClientRect().top - window.scrollY - MARGIN;
  const allowed = parseFloat(getComputedStyle(frame).maxHeight); // what the style sheet says
  const most = window === window.parent ? between(200, below, allowed) : allowed;
  if (!measured) coarsen({ width, height: most });
  measured = true;
  const scale = between(readable(width), (width - 2 * MARGIN) / sheet.right, LARGEST);
  const height = Math.ceil(Math.min(most, sheet.bottom * scale + 2 * MARGIN));
  if (width === room.width && height === room.height) return;
  const begun = room.width > 0;
  room = { width, height };
  Object.assign(picture.style, { width: `${sheet.right}px`, height: `${sheet.bottom}px` });
  frame.style.height = `${height + frame.offsetHeight - frame.clientHeight}px`;
  showMap(fitting(sheet) < readable());
  zooming.translateExtent([[-width / 2, -height / 2], [sheet.right + width / 2, sheet.bottom + height / 2]]);
  const k = chosen ?? opening();
  moveTo(laid(view.x, sheet.right, width, k), laid(view.y, sheet.bottom, height, k), k);
  if (begun) reveal(happening());
  else centre(around(happening()), ahead(), k);
  frame.classList.remove("gliding");
}

function startView() {
  startLevels();
  picture.removeAttribute("viewBox");
  d3.select(frame).call(zooming).on("dblclick.zoom", null);
  drawMap();
  $("fit").addEventListener("click", fit);
  $("larger").addEventListener("click", () => enlarge(1.3));
  $("smaller").addEventListener("click", () => enlarge(1 / 1.3));
  new ResizeObserver(() => requestAnimationFrame(measure)).observe(frame); // a frame may have no width yet
  window.addEventListener("resize", measure);
  new MutationObserver(measure).observe(document.documentElement, { attributes: true }); // a notebook says how high its window is
  measure();
}
