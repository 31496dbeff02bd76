// The boxes of the copy buttons are no landmarks of the page: Material makes them such when it makes the buttons.
new MutationObserver(() => {
  document.querySelectorAll(".md-code__nav:not([role])").forEach((box) => box.setAttribute("role", "none"));
}).observe(document.body, { childList: true, subtree: true });

// "Try it" opens the playground under the code, and closes it again; with a modifier, or without scripts, it is a link.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.(".try a");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const there = link.parentElement.querySelector("iframe");
  there?.remove();
  link.textContent = there ? "Try it" : "Close";
  if (there) return;
  const frame = document.createElement("iframe");
  frame.title = "The playground with this code";
  frame.src = link.href.replace("#", `?embed&theme=${theme()}#`);
  link.parentElement.append(frame);
});

// What is opened so is as light or dark as the page.
const theme = () => (document.body.dataset.mdColorScheme === "slate" ? "dark" : "light");
new MutationObserver(() => {
  for (const { contentWindow } of document.querySelectorAll(".try iframe")) contentWindow.postMessage({ theme: theme() }, location.origin);
}).observe(document.body, { attributeFilter: ["data-md-color-scheme"] });
