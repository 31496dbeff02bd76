// The whole graph in small, where it is too large for the frame: what happens, and which part is in view.

const small = (look, area) => {
  const drawn = document.createElementNS(picture.namespaceURI, "rect");
  drawn.setAttribute("class", look);
  $("map").append(drawn);
  return place(drawn, area);
};

function place(drawn, { left, top, right, bottom }) {
  for (const [name, x] of Object.entries({ x: left, y: top, width: right - left, height: bottom - top })) drawn.setAttribute(name, x);
  return drawn;
}

let dots = []; // by box
let part = null; // which part is in view

function drawMap() {
  $("map").replaceChildren();
  $("map").setAttribute("viewBox", `0 0 ${sheet.right} ${sheet.bottom}`);
  dots = boxes.map((box) => small("dot", box.area));
  part = small("part", sheet);
}

function showMap(isNeeded) {
  $("map").toggleAttribute("hidden", !isNeeded);
  const height = between(36, (room.width * sheet.bottom) / sheet.right, 96);
  $("map").style.height = `${height}px`;
  $("map").style.width = `${Math.min(room.width, (height * sheet.right) / sheet.bottom) + 2}px`;
}

function showPart() {
  const [left, top] = view.invert([0, 0]);
  const [right, bottom] = view.invert([room.width, room.height]);
  if (![left, top, right, bottom].every(Number.isFinite)) return; // in a frame that is hidden there is no room
  place(part, { left: Math.max(left, 0), top: Math.max(top, 0), right: Math.min(right, sheet.right), bottom: Math.min(bottom, sheet.bottom) });
}

// What is pointed at on the map comes into the middle of the frame.
function lookAt(event) {
  if (event.buttons === 0) return;
  const there = new DOMPoint(event.clientX, event.clientY).matrixTransform($("map").getScreenCTM().inverse());
  frame.classList.remove("gliding");
  d3.select(frame).call(zooming.translateTo, there.x, there.y);
}

$("map").addEventListener("pointerdown", (event) => {
  $("map").setPointerCapture(event.pointerId);
  lookAt(event);
});
$("map").addEventListener("pointermove", lookAt);
