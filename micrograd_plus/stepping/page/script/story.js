// The story of one node: where its value came from, and what each use gave to its gradient.
function tell() {
  const at = backwardAt();
  const i = asked() ?? (at >= 0 ? steps[at].argument : position > 0 ? made[position - 1] : graph.root);
  const box = boxes[home[i]];
  boxes.forEach((each) => each.element.classList.toggle("told", each === box));
  const keep = element("button", pinned === null ? "Pin" : "Unpin", { id: "pin", title: pinned === null ? "Keep this story (Enter)" : "Let it follow the steps (Esc)" });
  keep.addEventListener("click", () => pin(pinned === null ? i : null));
  const title = element("h2", nodes[i].op ? `${name(i)}: made by ${nodes[i].op}` : `${name(i)}: a leaf`);
  const text = plain(valuePieces(i).slice(0, known(i) ? undefined : 3));
  const formula = element("p", known(i) ? text : `${text}, not computed yet`, { className: "formula" });
  const table = element("table");
  const given = steps.map((step, k) => [step, k]).filter(([step]) => step.argument === i);
  for (const [step, k] of given) {
    const row = table.insertRow();
    row.className = k > at ? "future" : k === at ? "now" : "";
    const from = step.node !== null ? `from ${name(step.node)}` : step.kind === "hook" ? "a hook makes it" : "it is the loss itself";
    const jump = element("button", from, { title: `Go to step ${k}` });
    jump.addEventListener("click", () => go(made.length + 1 + k));
    row.insertCell().append(jump);
    row.insertCell().textContent = step.node === null ? "" : `${inStep(step, "upstream")} · ${enclosed(step.local)}${step.masked ? ", masked" : ""}`;
    row.cells[1].className = "factors";
    const cell = row.insertCell();
    cell.className = `number ${step.contribution < 0 ? "minus" : "plus"}`;
    cell.textContent = inStep(step, "contribution");
  }
  if (i in held) {
    const row = table.insertRow(0);
    row.insertCell().textContent = "held before";
    row.insertCell();
    row.insertCell().textContent = short(held[i]);
    row.cells[2].className = "number";
  }
  const so = given.filter(([, k]) => k <= at);
  if (given.length) {
    const row = table.insertRow();
    row.className = "sum";
    const all = so.length === given.length;
    const hooked = given.some(([step]) => step.kind === "hook"); // which makes it something else
    row.insertCell().textContent = `${name(i)}.grad${all ? "" : " so far"}${given.length > 1 && !hooked ? ", the sum (+=)" : ""}`;
    row.cells[0].colSpan = 2;
    row.insertCell().textContent = so.length ? inStep(so.at(-1)[0], "after") : "–";
    row.cells[1].className = "number";
  }
  const nothing = given.length ? [] : [element("p", "Nothing flows back to it.", { className: "dim" })];
  const wrong = position === final && i in graph.wrong ? [element("p", graph.wrong[i], { className: "minus" })] : [];
  const buttons = () => [...$("story").querySelectorAll("button")];
  const here = buttons().indexOf(document.activeElement); // a new story has new buttons: the focus stays where it was
  const parts = box.title ? [element("h2", box.title), opener(box)] : [];
  const told = box.title && !box.shows ? [] : [title, formula, table, ...nothing, ...wrong];
  $("story").replaceChildren(keep, ...parts, ...told, ...folders(home[i]));
  buttons()[here]?.focus();
}

// What is in a box, with a button that opens it.
function opener(box) {
  const line = element("p", box.note, { className: "dim" });
  const k = boxes.indexOf(box);
  if (!isOpenable(k)) return line;
  const button = element("button", "Open", { className: "open", title: "Show what is in it (o)" });
  button.addEventListener("click", () => openBox(k));
  line.append(" ", button);
  return line;
}

// In which opened boxes a node stands, each with a button that folds it.
function folders(k) {
  return framesOf(k).map((it) => {
    const line = element("p", `in ${titleOf(it)} `, { className: "dim" });
    const button = element("button", "Fold", { className: "open", title: "Make it one box again (o)" });
    button.addEventListener("click", () => foldBox(it));
    line.append(button);
    return line;
  });
}
