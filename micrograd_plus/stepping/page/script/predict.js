// Predict: the next number is hidden, the reader guesses it, and the page names the typical slip when it sees one.

let predicting = false;
let tries = 0; // at the number that is asked for
let question = null; // the position whose number is asked for
const score = { asked: 0, right: 0, slips: new Map() };

const near = (guess, x) => Object.is(guess, x) || Math.abs(guess - x) <= 0.005 * Math.abs(x) || (Number.isNaN(guess) && Number.isNaN(x));

// Whether all that the number at a position follows from is in the picture, with its numbers.
function isGuessable(k) {
  const step = steps[k - made.length - 1];
  const i = step ? step.node : made[k - 1];
  const from = i === null ? [] : [i, ...nodes[i].args.filter((arg) => typeof arg === "object").map((arg) => arg.node)];
  const isSeen = (each) => boxes[home[each]].shows && boxes[home[each]].at === each;
  return step?.kind !== "hook" && stepsAt(k).length < 2 && [...from, ...(step ? [step.argument] : [])].every(isSeen);
}

// What is asked at a position: in words, with the number that is right; null where nobody could know, as after a hook.
function asks(k) {
  if (!isGuessable(k)) return null;
  if (k <= made.length) {
    const i = made[k - 1];
    return { words: `${plain(valuePieces(i).slice(0, 3))} =`, right: nodes[i].data, shown: nodes[i].dust ? DUST : short(nodes[i].data), slips: [["the sign", -nodes[i].data, "Look at the signs again."]] };
  }
  const step = steps[k - made.length - 1];
  const to = `${name(step.argument)}.grad: ${inStep(step, "before")} →`;
  const [right, shown] = [step.after, inStep(step, "after")];
  if (step.node === null) {
    return { words: `${ratio(graph.root, step.argument)}, so ${to}`, right, shown, slips: [["the seed", step.before, "The loss moves one to one with itself: its derivative by itself is 1."]] };
  }
  const product = `${ratio(graph.root, step.node)} · ${ratio(step.node, step.argument)}`;
  return { words: `${ratio(graph.root, step.argument)} += ${product}, so ${to}`, right, shown, slips: slipsOf(step) };
}

// The typical slips of a step: what each is called, the number that it gives, and what to think of.
function slipsOf(step) {
  const { upstream, local, contribution, before } = step;
  const slope = ratio(step.node, step.argument);
  const above = ratio(graph.root, step.node);
  const kept = `${name(step.argument)} had ${short(before)} already: a new contribution is added (+=)`;
  const slips = [
    ["local slope forgotten", upstream, `what comes from above, ${above}, is multiplied by the local slope ${slope}`],
    ["upstream forgotten", local, `the local slope ${slope} is multiplied by what comes from above, ${above}`],
    ["sign", -contribution, "the sign of a product is that of both its factors together"],
    ["added instead of multiplied", upstream + local, "along a path the derivatives are multiplied"],
    ...(step.masked ? [["gate overlooked", upstream * local, "here nothing passes: the rule stops what comes"]] : []),
  ];
  const added = slips.map(([called, x, hint]) => [called, before + x, hint]);
  if (before === 0) return [...added, ["nothing passed on", before, `${slope} times ${above} arrives here`]];
  const over = slips.map(([called, x, hint]) => [`overwritten instead of added, and ${called}`, x, `${kept}; and ${hint}`]);
  return [["overwritten instead of added", contribution, kept], ...added, ["nothing added", before, `${slope} times ${above} is added`], ...over];
}

// A guess as a number: also with a comma, a typographic minus, or as a fraction; null where it is none.
function numberOf(text) {
  const [top, bottom = "1", ...more] = text.trim().replaceAll("−", "-").replaceAll(",", ".").split("/");
  const read = (part) => (part.trim() in NAMED ? NAMED[part.trim()] : part.trim() === "" ? null : Number(part));
  const [x, y] = [read(top), read(bottom)];
  if (more.length || x === null || y === null || (Number.isNaN(x) && top.trim() !== "nan")) return null;
  return x / y;
}

function answer(text) {
  const asked = asks(question);
  const guess = numberOf(text);
  if (guess === null) return say("Type a number, such as -0.5 or 1/3.", "");
  tries += 1;
  if (near(guess, asked.right) || (guess === 0 && asked.shown === DUST)) {
    return settle(tries === 1, `Right${tries > 1 ? ", now" : ""}: ${asked.words} ${asked.shown}.`, "good");
  }
  const slips = asked.slips.filter(([, x]) => near(guess, x));
  for (const [called] of slips.slice(0, 1)) score.slips.set(called, (score.slips.get(called) ?? 0) + 1);
  const named = slips.slice(0, 2).map(([called, , hint]) => `${called[0].toUpperCase()}${called.slice(1)}? ${hint[0].toUpperCase()}${hint.slice(1).replace(/[.]$/, "")}.`);
  say(named.join(" Or: ") || `Not ${short(guess)}. Look at what comes from above and at the slope, or ask to be shown.`, "bad");
  $("answer").select();
  return undefined;
}

// The number is told: by a right guess, or since somebody asked for it.
function settle(right, words, kind) {
  score.asked += 1;
  if (right) score.right += 1;
  go(question);
  say(words, kind);
}

// What nobody could guess is passed over.
function goOn() {
  const next = level.stops.find((k) => k > question && asks(k));
  go(next ? lastStop(next) : final);
}

function say(words, kind) {
  $("verdict").textContent = isolated(words);
  $("verdict").className = kind;
}

function showQuestion() {
  document.body.classList.toggle("predicting", predicting);
  $("predict").setAttribute("aria-pressed", String(predicting));
  $("guessing").hidden = !predicting;
  if (!predicting) return;
  const next = position < final ? nextStop(position) : null;
  if (next !== question) {
    tries = 0;
    $("answer").value = "";
    say("", "");
  }
  question = next;
  const asked = next === null ? null : asks(next);
  const why = steps[next - made.length - 1]?.kind === "hook" ? "A hook, which is Python, makes the next number." : "What comes next follows from what is inside of boxes: open them to guess it.";
  $("asked").textContent = next === null ? total() : asked === null ? why : isolated(`${asked.words} ?`);
  for (const id of ["answer", "guess"]) $(id).disabled = asked === null;
  $("reveal").disabled = next === null;
  $("reveal").textContent = asked === null && next !== null ? "Go on" : "Show it";
  $("score").textContent = score.asked ? `${score.right} of ${score.asked} at the first try` : "";
}

function total() {
  const [slip] = [...score.slips].sort((a, b) => b[1] - a[1]);
  const most = slip ? ` The slip seen most: ${slip[0]} (${slip[1]}).` : "";
  return score.asked ? `Done: ${score.right} of ${score.asked} at the first try.${most}` : "Done: go back to guess.";
}

function predict() {
  predicting = !predicting;
  pause();
  Object.assign(score, { asked: 0, right: 0, slips: new Map() });
  question = null;
  say("", "");
  show();
  if (predicting) $("answer").focus();
}

function offerPredictions() {
  $("predict").addEventListener("click", predict);
  $("guessing").addEventListener("submit", (event) => {
    event.preventDefault();
    answer($("answer").value);
    if (!$("answer").disabled) $("answer").focus();
  });
  $("reveal").addEventListener("click", () => {
    const asked = asks(question);
    if (asked === null) goOn();
    else settle(false, `It is ${asked.words} ${asked.shown}.`, "");
    if (!$("answer").disabled) $("answer").focus();
  });
}
offerPredictions();
