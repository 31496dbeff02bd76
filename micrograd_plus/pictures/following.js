// A page in a frame follows what it lies on: as light or dark, told how high the window is, the frame as high as the page.
(() => {
  const frame = window.frameElement; // null where another origin holds the page: then colours are the system's
  const root = document.documentElement;
  if (!frame) return;
  const around = frame.ownerDocument;
  const host = around.defaultView;

  // What the page lies on, as red, green, blue and how much it covers; whatever way the colour is written in.
  const dot = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  function painted(colour) {
    dot.clearRect(0, 0, 1, 1);
    dot.fillStyle = colour;
    dot.fillRect(0, 0, 1, 1);
    return dot.getImageData(0, 0, 1, 1).data;
  }

  const system = host.matchMedia('(prefers-color-scheme: dark)');
  function isDark() {
    for (let at = frame; at; at = at.parentElement ?? at.getRootNode().host) {
      const [red, green, blue, cover] = painted(host.getComputedStyle(at).backgroundColor);
      if (cover > 127) return 0.3 * red + 0.6 * green + 0.1 * blue < 128;
    }
    const scheme = host.getComputedStyle(around.documentElement).colorScheme;
    return scheme.includes('dark') && (system.matches || !scheme.includes('light'));
  }

  function dress() {
    root.dataset.theme = isDark() ? 'dark' : 'light';
    root.style.setProperty('--window', `${Math.min(host.innerHeight, screen.height)}px`);
  }
  function stretch() {
    const height = Math.ceil(root.getBoundingClientRect().height);
    if (height) frame.style.height = `${height}px`;
  }
  function changed() {
    dress();
    setTimeout(dress, 500); // colours may fade
  }
  dress();
  stretch();
  const themes = new MutationObserver(changed);
  for (const element of [around.documentElement, around.body]) themes.observe(element, { attributes: true });
  system.addEventListener('change', changed);
  host.addEventListener('resize', dress);
  new ResizeObserver(stretch).observe(root);
})();
