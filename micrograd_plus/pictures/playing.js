// What every page that plays has: its elements, where it is, buttons, a slider and keys. The page itself says what comes
// last (`final`), where it stops on the way (`nextStop`, `lastStop`), and shows what is at `position` (`show`).

const $ = (id) => document.getElementById(id);
let position = 0;
let timer = null;

// A name that runs from right to left keeps to itself: what stands beside it stays in its place. As isolated in texts.py.
const isolated = (text) => String(text).replace(/[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc][\w\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]*/g, "\u2068$&\u2069");

function element(kind, text = "", properties = {}) {
  const made = Object.assign(document.createElement(kind), properties);
  if (text !== "") made.textContent = isolated(text);
  return made;
}

function go(to) {
  position = Math.min(Math.max(to, 0), final);
  if (position === final) pause();
  show();
}

function pause() {
  clearInterval(timer);
  timer = null;
  $("play").textContent = "Play";
}

function play() {
  if (timer !== null) return pause();
  if (position === final) go(0);
  timer = setInterval(() => go(nextStop(position)), Number($("speed").value));
  $("play").textContent = "Pause";
  return undefined;
}

// By hand: what plays stops.
function jump(to) {
  pause();
  go(to);
}

function startPlaying() {
  $("slider").max = final;
  $("slider").addEventListener("input", () => jump(Number($("slider").value)));
  $("play").addEventListener("click", play);
  $("speed").addEventListener("change", () => timer !== null && (pause(), play()));
  document.addEventListener("keydown", (event) => {
    const { target } = event;
    const typing = target.matches("select, input:not(#slider)");
    if (event.defaultPrevented || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const keys = { ArrowRight: nextStop(position), ArrowLeft: lastStop(position), Home: 0, End: final };
    if (event.key in keys) jump(keys[event.key]);
    else if (event.key === " " && !target.matches("button")) play();
    else return;
    event.preventDefault();
  });
}
