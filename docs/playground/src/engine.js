// The engine, as the page sees it: a worker that starts, answers, and can be stopped at any time.

/** What runs code: `heard` is told "starting", "ready", "busy" and "failed". */
export class Engine {
  #worker = null;
  #waiting = new Map();
  #last = 0;
  #begun = null;

  constructor(heard) {
    this.heard = heard;
    this.start();
  }

  start() {
    // from a blob, so that the worker is under the page's own policy: it may fetch from this site alone
    const source = `import ${JSON.stringify(new URL("worker.js", document.baseURI).href)};`;
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    this.#worker = new Worker(url, { type: "module" });
    this.#worker.onmessage = ({ data }) => this.#hear(data);
    this.#worker.onerror = (event) => this.heard("failed", event.message || "the engine did not load");
    this.ready = false;
    this.started = new Promise((resolve) => (this.#begun = resolve));
    this.heard("starting");
  }

  #hear(data) {
    if (data.kind === "ready") {
      this.ready = true;
      this.#begun();
      this.heard("ready", data.milliseconds);
    } else if (data.kind === "failed") {
      this.heard("failed", data.error);
    } else {
      const { resolve, reject } = this.#waiting.get(data.id) ?? {};
      this.#waiting.delete(data.id);
      if (!this.#waiting.size) this.heard("idle");
      data.error === undefined ? resolve?.(data.value) : reject?.(new Error(data.error));
      if (data.fatal) this.stop(data.error); // that Python is broken
    }
  }

  get busy() {
    return this.#waiting.size > 0;
  }

  /** Ask the worker: "run" with {code}, "show" with {what}, "formula", "derivatives", "laws". */
  ask(job, given = {}) {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, job, ...given });
      this.heard("busy");
    });
  }

  /** End whatever runs, and start afresh. */
  stop(why) {
    this.#worker.terminate();
    const left = [...this.#waiting.values()];
    this.#waiting.clear();
    this.start();
    for (const { reject } of left) reject(new Error(why));
  }
}
