// Which node's story is told: the one that is pinned, else that under the mouse, else that with the focus. By the keyboard
// one walks along the arrows: the graph is one stop of the Tab key.

let pinned = null; // by a click, a tap or Enter, until Escape
let pointed = null;
let focused = null;

const asked = () => pinned ?? pointed ?? focused;

function pin(i) {
  pinned = i;
  pictured.forEach((box, j) => box.setAttribute("aria-pressed", i === j));
  tell();
}

// The one node that the Tab key stops at.
function stopAt(i) {
  for (const each of picture.querySelectorAll("[tabindex='0']")) each.setAttribute("tabindex", -1);
  pictured[i].setAttribute("tabindex", 0);
}

const level = (i) => (areas[i].top + areas[i].bottom) / 2;
const nearest = (some, i) => [...some].sort((j, k) => Math.abs(level(j) - level(i)) - Math.abs(level(k) - level(i)))[0];
const inColumn = (i) => areas.map((_, j) => j).filter((j) => areas[j].left < areas[i].right && areas[j].right > areas[i].left);

// Where a key leads from a node: along an arrow, or to the next box above or below.
function led(key, i) {
  if (key === "ArrowLeft") return nearest(argumentsOf(i), i);
  if (key === "ArrowRight") return nearest(leaves.concat(made).filter((j) => uses(j, i)), i);
  if (key === "ArrowUp") return nearest(inColumn(i).filter((j) => level(j) < level(i)), i);
  if (key === "ArrowDown") return nearest(inColumn(i).filter((j) => level(j) > level(i)), i);
  return { Home: leaves[0], End: graph.root }[key];
}

// A key that is pressed on a node; whether it is one of those that say something there.
function walk(event) {
  const i = pictured.indexOf(event.target.closest(".node"));
  if (i < 0) return false;
  if (event.key === "Enter" || event.key === " ") pin(pinned === i ? null : i);
  else if (/^(Arrow|Home|End)/.test(event.key)) {
    const j = led(event.key, i);
    if (j !== undefined) pictured[j].focus({ preventScroll: true });
  } else return false;
  return true;
}

function startAsking() {
  pictured.forEach((box, i) => {
    box.setAttribute("tabindex", -1);
    box.setAttribute("role", "button");
    box.setAttribute("aria-pressed", false);
    box.addEventListener("pointerenter", (event) => event.pointerType !== "touch" && point(i));
    box.addEventListener("pointerleave", () => pointed === i && point(null));
    box.addEventListener("focus", () => {
      [focused, pointed] = [i, null];
      stopAt(i);
      reveal([i]);
      tell();
    });
  });
  const leave = (event) => {
    if ([frame, $("story")].some((each) => each.contains(event.relatedTarget))) return; // on the way from one to the other
    focused = null;
    tell();
  };
  for (const each of [frame, $("story")]) each.addEventListener("focusout", leave);
  picture.addEventListener("click", (event) => {
    const i = pictured.indexOf(event.target.closest(".node"));
    pin(i < 0 || i === pinned ? null : i);
  });
  // a click takes no focus, so that the arrow keys go on to step
  frame.addEventListener("mousedown", (event) => (event.preventDefault(), document.activeElement?.blur()), true);
}

function point(i) {
  pointed = i;
  tell();
}
