// What stands beside the code: tabs, and frames that show pictures in sandboxes (frame.html).

/** Tabs as ARIA wants them: arrow keys go from one to the next. */
export class Tabs {
  constructor(list, chosen) {
    this.tabs = [...list.querySelectorAll("[role=tab]")];
    this.chosen = chosen;
    for (const tab of this.tabs) tab.addEventListener("click", () => this.choose(tab.dataset.what));
    list.addEventListener("keydown", (event) => {
      const shown = this.tabs.filter((tab) => !tab.hidden);
      const at = shown.indexOf(document.activeElement);
      const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: shown.length - 1 }[event.key];
      if (to === undefined || at < 0) return;
      event.preventDefault();
      const tab = shown.at(to % shown.length);
      tab.focus();
      this.choose(tab.dataset.what);
    });
  }

  get what() {
    return this.tabs.find((tab) => tab.ariaSelected === "true").dataset.what;
  }

  choose(what) {
    for (const tab of this.tabs) {
      const on = tab.dataset.what === what;
      tab.setAttribute("aria-selected", on);
      tab.tabIndex = on ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = !on;
    }
    this.chosen(what);
  }

  /** Show or hide a tab. */
  offer(what, there) {
    const tab = this.tabs.find((each) => each.dataset.what === what);
    tab.hidden = !there;
    if (!there && tab.ariaSelected === "true") this.choose("step");
  }
}

let frames = 0;

/** A place for pictures: the next one is made behind the one that is seen, and then takes its place. */
export class Stage {
  #shown = null;
  #next = null;

  constructor(element, title) {
    this.element = element;
    this.title = title;
    addEventListener("message", ({ source, data }) => this.#hear(source, data));
  }

  show(html) {
    this.#next?.remove();
    if (!html) {
      this.#shown?.remove();
      this.#shown = this.#next = null;
      return;
    }
    const frame = document.createElement("iframe");
    frame.title = this.title;
    frame.src = "frame.html";
    frame.className = "coming";
    frame.number = ++frames;
    frame.html = html;
    this.#next = frame;
    this.element.append(frame);
  }

  /** Tell the picture whether it is to be light or dark. */
  dress() {
    this.#shown?.contentWindow?.postMessage(this.#look(), location.origin);
  }

  #look = () => ({ theme: theme(), window: this.element.clientHeight });

  #hear(source, data) {
    const frame = this.#next;
    if (!frame || source !== frame.contentWindow) return;
    if (data.kind === "frame") frame.contentWindow.postMessage({ id: frame.number, html: frame.html, title: this.title, ...this.#look() }, location.origin);
    if (data.kind === "shown" && data.id === frame.number) {
      this.#shown?.remove();
      frame.classList.remove("coming");
      this.#shown = frame;
      this.#next = null;
      this.element.dispatchEvent(new CustomEvent("shown", { bubbles: true }));
    }
  }
}

const system = matchMedia("(prefers-color-scheme: dark)");

/** "light" or "dark": what was chosen here, or else what the system says. */
export const theme = () => document.documentElement.dataset.theme || (system.matches ? "dark" : "light");

/** Hear of each change of the theme. A page that this one stands in may give its own: `?theme=`, then a message. */
export function themes(button, changed) {
  const given = new URLSearchParams(location.search).get("theme");
  const kept = ["light", "dark"].includes(given) ? given : localStorage.getItem("micrograd-plus-theme");
  if (kept) document.documentElement.dataset.theme = kept;
  addEventListener("message", ({ source, origin, data }) => {
    if (source !== parent || origin !== location.origin || !["light", "dark"].includes(data.theme)) return;
    document.documentElement.dataset.theme = data.theme;
    changed();
  });
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = theme() === "dark" ? "light" : "dark";
    localStorage.setItem("micrograd-plus-theme", theme());
    changed();
  });
  system.addEventListener("change", changed);
}
