// Buttons, keys and the mouse; then the page begins.

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

$("slider").max = final;
$("slider").addEventListener("input", () => go(Number($("slider").value)));
$("first").addEventListener("click", () => go(0));
$("back").addEventListener("click", () => go(lastStop(position)));
$("next").addEventListener("click", () => go(nextStop(position)));
$("last").addEventListener("click", () => go(final));
$("play").addEventListener("click", play);
$("speed").addEventListener("change", () => timer !== null && (pause(), play()));
document.addEventListener("keydown", (event) => {
  const { target } = event;
  const typing = target.matches("input[type=number], select") || (target.matches("input") && target.id !== "slider");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const keys = { ArrowRight: nextStop(position), ArrowLeft: lastStop(position), Home: 0, End: final };
  const sizes = { "+": () => enlarge(1.3), "-": () => enlarge(1 / 1.3), 0: fit };
  if (event.key === "Escape") {
    if (pinned === null) target.blur();
    pin(null);
  } else if (walk(event)) {
    event.preventDefault();
  } else if (event.key in keys) {
    event.preventDefault();
    pause();
    go(keys[event.key]);
  } else if (event.key in sizes) {
    sizes[event.key]();
  } else if (event.key === " " && !target.matches("button")) {
    event.preventDefault();
    play();
  }
});
offerLeaves();
startView();
startAsking();
show();
