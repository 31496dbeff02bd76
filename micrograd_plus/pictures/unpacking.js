// What packing.py wrote in letters becomes bytes again.
const unpacks = typeof DecompressionStream !== 'undefined';
const tooOld = 'This browser cannot unpack the page: that takes Chrome or Edge 80, Firefox 113, Safari 16.4, or a newer one.';
async function unpacked(text) {
  const letters = LETTERS;
  const digits = Object.fromEntries([...letters].map((letter, i) => [letter, i]));
  const words = new DataView(new ArrayBuffer(4 * Math.ceil(text.length / 5)));
  for (let i = 0; i < text.length; i += 5) {
    let word = 0;
    for (let k = i; k < i + 5; k += 1) word = 85 * word + (k < text.length ? digits[text[k]] : 84);
    words.setUint32((4 * i) / 5, word);
  }
  const bytes = new Uint8Array(words.buffer, 0, Math.floor((4 * text.length) / 5));
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'))).arrayBuffer());
}
