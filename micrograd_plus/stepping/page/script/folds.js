// Open one box, or fold it again. What is around it keeps its place and makes room; what is in it stands in a frame.
//
// Levels are nested: a box of a finer one is part of one box of a coarser one. So a box opens into those of the next level
// at which it is more than one. A box is meant by its level and its place there: [k, i].

const FRAME = { side: 14, top: 28, gap: 12, column: 56, letter: 8 }; // pixels around and between the boxes in a frame, and of its title
const key = ([k, i]) => `${k} ${i}`;

// The nodes in each box of a level.
function membersOf(it) {
  if (!it.members) {
    it.members = it.boxes.map(() => []);
    it.home.forEach((i, node) => it.members[i].push(node));
  }
  return it.members;
}

// The boxes that a box opens into; null where it is one node, or a level is not nested there.
function inside([k, i]) {
  const coarser = graph.levels[k];
  for (let finer = k - 1; finer >= 0; finer -= 1) {
    const { home: homes } = graph.levels[finer];
    const those = [...new Set(membersOf(coarser)[i].map((node) => homes[node]))].sort((a, b) => a - b);
    if (those.some((c) => membersOf(graph.levels[finer])[c].some((node) => coarser.home[node] !== i))) return null;
    if (those.length > 1) return those.map((c) => [finer, c]);
  }
  return null;
}

// Of a box that is drawn: which one of a level it is, and the opened ones around it, the outermost first.
const origin = (i) => level.origins?.[i] ?? [graph.levels.indexOf(level), i];
const framesOf = (i) => level.frames?.[i] ?? [];
const titleOf = ([k, i]) => graph.levels[k].boxes[i][3];
const isOpenable = (i) => boxes[i].title !== "" && inside(origin(i)) !== null;

function openBox(i) {
  const { at } = boxes[i];
  const it = origin(i);
  open(partly(level.base ?? level, [...(level.opened ?? []), it]));
  reveal([boxes[home[at]].area, level.outlines.find((each) => key(each.it) === key(it)).area]);
}

// Fold an opened box, and with it those that are open in it.
function foldBox(it) {
  const chains = level.frames.map((some) => some.map(key));
  const isIn = (each) => chains.some((chain) => chain.includes(key(it)) && chain.indexOf(key(each)) >= chain.indexOf(key(it)));
  const [k, i] = it;
  const node = membersOf(graph.levels[k])[i][0];
  const rest = level.opened.filter((each) => !isIn(each));
  open(rest.length ? partly(level.base, rest) : level.base);
  reveal([boxes[home[node]].area]);
}

// A level in which some boxes are open.
function partly(base, opened) {
  const isOpen = new Set(opened.map(key));
  const shown = [];
  const frames = [];
  const branch = (box, outer) => {
    if (isOpen.has(key(box))) return { it: box, parts: inside(box).map((part) => branch(part, [...outer, box])) };
    frames.push(outer);
    return { it: box, at: shown.push(box) - 1 };
  };
  const k = graph.levels.indexOf(base);
  const tree = base.boxes.map((_, i) => branch([k, i], []));
  const place = new Map(shown.map((box, i) => [key(box), i]));
  const homeOf = (node) => {
    let box = [k, base.home[node]];
    while (isOpen.has(key(box))) box = inside(box).find(([finer, c]) => graph.levels[finer].home[node] === c);
    return place.get(key(box));
  };
  const it = {
    base,
    opened,
    frames,
    origins: shown,
    home: nodes.map((_, node) => homeOf(node)),
    boxes: shown.map(([finer, i]) => graph.levels[finer].boxes[i]),
    elements: shown.map(([finer, i]) => read(graph.levels[finer]).elements[i].cloneNode(true)),
  };
  return drawn(it, tree);
}

// Its picture: frames, arrows, boxes.
function drawn(it, tree) {
  const links = linksOf(it);
  const areas = [];
  it.outlines = [];
  it.sheet = placed(tree, it, links, areas);
  it.elements.forEach((box, i) => {
    box.id = `b${i}`;
    called(box, it.frames[i].map(titleOf));
    box.setAttribute("transform", `translate(${areas[i].left} ${areas[i].top})`);
  });
  it.edges = links.map((link) => curved(link, links, areas));
  const whole = shape("g", { transform: "translate(0 0)" });
  whole.append(...it.outlines.map(framed), ...it.edges, ...it.elements);
  it.parts = [whole];
  return it;
}

// The arrows between its boxes, from those of the finest level.
function linksOf(it) {
  const finest = read(graph.levels[0]);
  const found = new Map();
  for (const edge of finest.edges) {
    const [to, from] = [head(edge), tail(edge)].map((c) => it.home[membersOf(finest)[c][0]]);
    const place = it.boxes[to][3] ? ~from : Number(edge.id.split("_")[1]);
    if (to !== from) found.set(`${to}_${place}`, { to, from, place });
  }
  return [...found.values()];
}

// ------------------------------------------------------------------------------------------------------- where they are

const dimensions = (box) => ["width", "height"].map((side) => Number(box.querySelector(".paper").getAttribute(side)));

// Where the boxes are: those of the level itself as Python laid them out, moved apart where one of them is open.
function placed(tree, it, links, areas) {
  const base = read(it.base);
  const rooms = base.elements.map(areaOf);
  const inner = tree.map((branch) => branch.parts && arranged(branch, it, links));
  const order = tree.map((_, i) => i).filter((i) => inner[i]).sort((i, j) => rooms[i].left - rooms[j].left);
  for (const i of order) {
    const own = { ...rooms[i] };
    const wider = inner[i].width - (own.right - own.left);
    const higher = (inner[i].height - (own.bottom - own.top)) / 2;
    const middle = (own.top + own.bottom) / 2;
    rooms.forEach((room, k) => {
      const beside = room.left < own.right && room.right > own.left && k !== i;
      const across = room.left >= own.right ? wider : beside ? wider / 2 : 0;
      const down = beside ? higher * Math.sign((room.top + room.bottom) / 2 - middle) : 0;
      rooms[k] = { left: room.left + across, right: room.right + across, top: room.top + down, bottom: room.bottom + down };
    });
    rooms[i] = { left: own.left, right: own.right + wider, top: own.top - higher, bottom: own.bottom + higher };
  }
  const all = around(rooms);
  const [dx, dy] = [FRAME.gap - all.left, FRAME.gap - all.top];
  const put = (branch, left, top, size) => {
    if (!branch.parts) {
      const [width, height] = dimensions(it.elements[branch.at]);
      areas[branch.at] = { left, top, right: left + width, bottom: top + height };
      return;
    }
    it.outlines.push({ it: branch.it, area: { left, top, right: left + size.width, bottom: top + size.height } });
    branch.parts.forEach((part, k) => put(part, left + size.places[k].left, top + size.places[k].top, size.places[k]));
  };
  tree.forEach((branch, i) => put(branch, rooms[i].left + dx, rooms[i].top + dy, inner[i]));
  return { left: 0, top: 0, right: all.right + dx + FRAME.gap, bottom: all.bottom + dy + FRAME.gap };
}

// What is in a frame, in columns: each box after those that lead to it, a leaf just before its use.
function arranged(branch, it, links) {
  const { parts } = branch;
  const sizes = parts.map((part) => {
    if (part.parts) return arranged(part, it, links);
    const [width, height] = dimensions(it.elements[part.at]);
    return { width, height };
  });
  const partOf = new Map(parts.flatMap((part, k) => shownIn(part).map((at) => [at, k])));
  const ends = links.map(({ from, to }) => [partOf.get(from), partOf.get(to)]).filter(([a, b]) => a !== undefined && b !== undefined && a !== b);
  const columns = inColumns(parts.length, ends);
  const across = columns.map((column) => Math.max(...column.map((k) => sizes[k].width)));
  const down = columns.map((column) => column.reduce((sum, k) => sum + sizes[k].height + FRAME.gap, -FRAME.gap));
  const tallest = Math.max(...down);
  const places = [];
  let left = FRAME.side;
  columns.forEach((column, c) => {
    let top = FRAME.top + (tallest - down[c]) / 2;
    for (const k of column) {
      places[k] = { ...sizes[k], left: left + (across[c] - sizes[k].width) / 2, top };
      top += sizes[k].height + FRAME.gap;
    }
    left += across[c] + FRAME.column;
  });
  return { width: left - FRAME.column + FRAME.side, height: tallest + FRAME.top + FRAME.side, places };
}

const shownIn = (branch) => (branch.parts ? branch.parts.flatMap(shownIn) : [branch.at]);

// Which of so many parts stand in which column, one under another, near those that they lead to.
function inColumns(count, ends) {
  const column = Array(count).fill(0);
  for (let changed = true; changed; ) {
    changed = false;
    for (const [a, b] of ends) {
      if (column[b] > column[a]) continue;
      column[b] = column[a] + 1;
      changed = true;
    }
  }
  for (let k = 0; k < count; k += 1) {
    const after = ends.filter(([a]) => a === k).map(([, b]) => column[b]);
    if (after.length && !ends.some(([, b]) => b === k)) column[k] = Math.min(...after) - 1;
  }
  const columns = Array.from({ length: Math.max(...column) + 1 }, (_, c) => column.flatMap((its, k) => (its === c ? [k] : [])));
  const row = column.map((c, k) => columns[c].indexOf(k));
  for (let c = columns.length - 2; c >= 0; c -= 1) {
    const wanted = (k) => mean(ends.filter(([a]) => a === k).map(([, b]) => row[b])) ?? row[k];
    columns[c].sort((i, j) => wanted(i) - wanted(j) || i - j);
    columns[c].forEach((k, r) => (row[k] = r));
  }
  return columns;
}

const mean = (numbers) => (numbers.length ? numbers.reduce((sum, x) => sum + x, 0) / numbers.length : undefined);

// ------------------------------------------------------------------------------------------------------- how they look

// An arrow, which ends below those of the arguments before it.
function curved({ to, from, place }, links, areas) {
  const into = links.filter((link) => link.to === to).sort((a, b) => (a.place < 0 ? areas[a.from].top - areas[b.from].top : a.place - b.place));
  const [start, end] = [areas[from], areas[to]];
  const [x1, y1] = [start.right, (start.top + start.bottom) / 2];
  const rank = into.findIndex((link) => link.place === place);
  const [x2, y2] = [end.left, end.top + ((end.bottom - end.top) * (rank + 1)) / (into.length + 1)];
  const bend = Math.max(24, (x2 - x1) / 2);
  const edge = shape("g", { id: `e${to}_${place}`, class: "edge", "data-tail": from, "data-x": (x1 + x2) / 2, "data-y": (y1 + y2) / 2 - 5 });
  edge.append(
    shape("path", { d: `M${x1},${y1}C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}` }),
    tipped("to", x2 - 10, y2, x2, y2),
    tipped("fro", x1 + 10, y1, x1, y1),
  );
  return edge;
}

// In a frame a parameter is called by what follows the frame's name, as in pictures: w.0.
function called(box, titles) {
  const drawn = box.querySelector(".name");
  const full = box.querySelector("title").textContent;
  const within = titles.findLast((title) => full.startsWith(`${title}.`));
  if (within) drawn.textContent = full.slice(within.length + 1);
}

// The frame of an opened box: a click on it folds the box again.
function framed({ it, area: { left, top, right, bottom } }) {
  const outline = shape("g", { class: "frame", role: "button", tabindex: -1, "aria-label": `Fold ${titleOf(it)}`, "data-box": key(it) });
  const letters = [..."▾ ", ...titleOf(it)];
  const most = Math.floor((right - left - 2 * FRAME.side) / FRAME.letter);
  const title = letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : letters.join("");
  outline.append(
    shape("rect", { x: left, y: top, width: right - left, height: bottom - top, rx: 10 }),
    shape("text", { class: "name", x: left + FRAME.side, y: top + 19 }, title),
  );
  return outline;
}

function startFolds() {
  picture.addEventListener("click", (event) => {
    const it = event.target.closest(".frame")?.dataset.box;
    if (it) foldBox(it.split(" ").map(Number));
  });
  picture.addEventListener("dblclick", (event) => {
    const i = boxOf(event.target.closest(".node"));
    if (i >= 0 && isOpenable(i)) openBox(i);
  });
}
