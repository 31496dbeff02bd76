// Buttons and keys; then the page begins.

$("first").addEventListener("click", () => go(0));
$("back").addEventListener("click", () => go(lastStop(position)));
$("next").addEventListener("click", () => go(nextStop(position)));
$("last").addEventListener("click", () => go(final));
document.addEventListener("keydown", (event) => {
  const { target } = event;
  if (target.matches("input[type=number], input[type=text], select") || event.ctrlKey || event.metaKey || event.altKey) return;
  const sizes = { "+": () => enlarge(1.3), "-": () => enlarge(1 / 1.3), 0: fit };
  if (event.key === "Escape") {
    if (pinned === null) target.blur();
    pin(null);
  } else if (walk(event)) {
    event.preventDefault();
  } else if (event.key in sizes) {
    sizes[event.key]();
  }
});
startPlaying();
offerLeaves();
startView();
startAsking();
startFolds();
show();
