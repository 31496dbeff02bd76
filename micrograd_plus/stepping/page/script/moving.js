// The graph moves and grows under hands: the wheel, a mouse, a finger, two fingers. What else moves it, view.js says.

const SCALES = [0.05, 4];
const HELD = 2; // pixels that a pointer may move before it drags

const between = (least, x, most) => Math.min(Math.max(x, least), most);

// How the graph lies in the frame, and where a point of it is then; or which one of it lies at a point of the frame.
const lying = (x, y, k) => ({
  x,
  y,
  k,
  apply: ([left, top]) => [left * k + x, top * k + y],
  invert: ([left, top]) => [(left - x) / k, (top - y) / k],
});

// Half of the frame may be empty, no more: where an axis begins then.
function kept(begin, k, wide, whole) {
  const [before, after] = [-begin / k + wide / 2, (wide - begin) / k - whole - wide / 2];
  return begin + k * (after > before ? (before + after) / 2 : Math.min(0, before) || Math.max(0, after));
}

// Lay the graph so that its points come to points of the frame, at a scale; of two pointers it is what lies between them.
function bring(points, places, k, isByHand) {
  const middle = (some) => [0, 1].map((axis) => some.reduce((sum, each) => sum + each[axis], 0) / some.length);
  const [[left, top], [x, y]] = [middle(points), middle(places)];
  lay(lying(kept(x - left * k, k, room.width, sheet.right), kept(y - top * k, k, room.height, sheet.bottom), k), isByHand);
}

// Another scale, where one point of the frame keeps what it shows.
const scaleAt = (place, k, isByHand) => bring([view.invert(place)], [place], k, isByHand);

function startMoving() {
  const hands = new Map(); // by pointer: where it is, and which point of the graph it holds
  let isDragging = false;
  let begun = null; // where the first pointer came
  const far = ([left, top], [x, y]) => Math.hypot(x - left, y - top);
  const place = (event) => {
    const { left, top } = frame.getBoundingClientRect();
    return [event.clientX - left - frame.clientLeft, event.clientY - top - frame.clientTop];
  };
  const hold = () => hands.forEach((hand) => (hand.point = view.invert(hand.at)));
  frame.addEventListener("wheel", (event) => {
    if (!wheelIsForTheGraph(event)) return;
    const turned = event.deltaY * [0.002, 0.05, 1][event.deltaMode] * (event.ctrlKey ? 10 : 1); // pixels, lines or pages
    const k = between(SCALES[0], view.k * 2 ** -turned, SCALES[1]);
    if (k === view.k) return;
    event.preventDefault();
    scaleAt(place(event), k, true);
    hold();
  });
  frame.addEventListener("pointerdown", (event) => {
    if (event.button || hands.size === 2) return;
    if (hands.size === 0) [isDragging, begun] = [false, place(event)];
    hands.set(event.pointerId, { at: place(event) });
    hold();
  });
  window.addEventListener("pointermove", (event) => {
    const hand = hands.get(event.pointerId);
    if (!hand) return;
    if (event.buttons === 0) return void hands.clear(); // let go where nobody saw it
    hand.at = place(event);
    if (!isDragging && hands.size === 1 && far(begun, hand.at) <= HELD) return;
    isDragging = true;
    for (const id of hands.keys()) frame.setPointerCapture(id); // only now: what has caught a pointer gets its click
    const [points, places] = ["point", "at"].map((what) => [...hands.values()].map((each) => each[what]));
    const k = points.length === 2 ? far(...places) / far(...points) : view.k;
    bring(points, places, between(SCALES[0], k, SCALES[1]) || view.k, true);
  });
  for (const kind of ["pointerup", "pointercancel"]) {
    window.addEventListener(kind, (event) => {
      if (!hands.delete(event.pointerId)) return;
      hold();
      if (hands.size === 0) setTimeout(() => (isDragging = false)); // after the click that ends it
    });
  }
  frame.addEventListener("click", (event) => isDragging && event.stopImmediatePropagation(), true);
}
