// Which node's story is told: the one that is pinned, else that under the mouse, else that with the focus. By the keyboard
// one walks along the arrows: the graph is one stop of the Tab key.

let pinned = null; // by a click, a tap or Enter, until Escape
let pointed = null;
let focused = null;

const asked = () => pinned ?? pointed ?? focused;

function pin(i) {
  pinned = i;
  boxes.forEach((box) => box.element.setAttribute("aria-pressed", i === box.at));
  tell();
}

// The one box that the Tab key stops at.
function stopAt(k) {
  for (const each of picture.querySelectorAll("[tabindex='0']")) each.setAttribute("tabindex", -1);
  boxes[k].element.setAttribute("tabindex", 0);
}

const height = (k) => (boxes[k].area.top + boxes[k].area.bottom) / 2;
const nearest = (some, k) => [...some].sort((i, j) => Math.abs(height(i) - height(k)) - Math.abs(height(j) - height(k)))[0];
const inColumn = (k) => [...boxes.keys()].filter((i) => boxes[i].area.left < boxes[k].area.right && boxes[i].area.right > boxes[k].area.left);

// Where a key leads from a box: along an arrow, or to the next box above or below.
function led(key, k) {
  if (key === "ArrowLeft") return nearest(arrowsInto(k).map(tail), k);
  if (key === "ArrowRight") return nearest(arrowsFrom(k).map(head), k);
  if (key === "ArrowUp") return nearest(inColumn(k).filter((i) => height(i) < height(k)), k);
  if (key === "ArrowDown") return nearest(inColumn(k).filter((i) => height(i) > height(k)), k);
  return key === "Home" ? 0 : home[graph.root];
}

// A key that is pressed on a box; whether it is one of those that say something there.
function walk(event) {
  const k = boxOf(event.target.closest(".node"));
  if (k < 0) return false;
  if (event.key === "o") {
    const { at } = boxes[k];
    if (isOpenable(k)) openBox(k);
    else if (framesOf(k).length) foldBox(framesOf(k).at(-1));
    boxes[home[at]].element.focus({ preventScroll: true });
  } else if (event.key === "Enter" || event.key === " ") pin(pinned === boxes[k].at ? null : boxes[k].at);
  else if (/^(Arrow|Home|End)/.test(event.key)) {
    const next = led(event.key, k);
    if (next !== undefined) boxes[next].element.focus({ preventScroll: true });
  } else return false;
  return true;
}

function point(i) {
  pointed = i;
  tell();
}

function startAsking() {
  const under = (event) => boxes[boxOf(event.target.closest(".node"))];
  picture.addEventListener("pointerover", (event) => event.pointerType !== "touch" && point(under(event)?.at ?? null));
  frame.addEventListener("pointerleave", () => point(null));
  picture.addEventListener("focusin", (event) => {
    const box = under(event);
    if (!box) return;
    [focused, pointed] = [box.at, null];
    stopAt(boxes.indexOf(box));
    reveal([box.area]);
    tell();
  });
  const leave = (event) => {
    if ([frame, $("story")].some((each) => each.contains(event.relatedTarget))) return; // on the way from one to the other
    focused = null;
    tell();
  };
  for (const each of [frame, $("story")]) each.addEventListener("focusout", leave);
  frame.addEventListener("click", (event) => {
    const i = under(event)?.at ?? null;
    pin(i === pinned ? null : i);
  });
  // a click takes no focus, so that the arrow keys go on to step
  frame.addEventListener("mousedown", (event) => (event.preventDefault(), document.activeElement?.blur()), true);
}
