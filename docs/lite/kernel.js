// The kernel's worker starts from a blob, and so under the policy of this page, which a worker of an address of its own
// would not: Python, too, asks no other site for anything. Pictures of large graphs get the playground's Graphviz.
{
  const graphviz = new URL("../playground/graphviz.js", document.currentScript.src);
  const draws = `import(${JSON.stringify(graphviz)}).then(({ Graphviz }) => Graphviz.load()).then((it) => { globalThis.graphviz = it; });`;
  window.Worker = class extends Worker {
    constructor(url, options) {
      const kernel = options?.type === "module" && !String(url).startsWith("blob:");
      const start = () => URL.createObjectURL(new Blob([`import ${JSON.stringify(url)}; ${draws}`], { type: "text/javascript" }));
      super(kernel ? start() : url, options);
    }
  };
}
