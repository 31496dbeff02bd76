// Which part of the graph is in view, and how large.

// Scroll the picture, and nothing else, to where something happens.
function reveal(some) {
  const frame = $("graph").getBoundingClientRect();
  for (const i of some) {
    if (i === null || i === undefined) continue;
    const box = pictured[i].getBoundingClientRect();
    if (box.left < frame.left || box.right > frame.right) {
      $("graph").scrollLeft += (box.left + box.right - frame.left - frame.right) / 2;
    }
    if (box.top < frame.top || box.bottom > frame.bottom) {
      $("graph").scrollTop += (box.top + box.bottom - frame.top - frame.bottom) / 2;
    }
  }
}

// As wide as there is room, but never too small to read.
function fit() {
  const svg = $("graph").querySelector("svg");
  const [, , wide, high] = svg.getAttribute("viewBox").split(" ").map(Number);
  const scale = Math.min(1.25, Math.max(0.75, ($("graph").clientWidth - 2) / wide));
  svg.setAttribute("width", wide * scale);
  svg.setAttribute("height", high * scale);
}
