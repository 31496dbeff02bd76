// The code in the URL's fragment, deflated: it never reaches a server.

const letters = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
const through = async (data, stream) =>
  new Uint8Array(await new Response(new Blob([data]).stream().pipeThrough(stream)).arrayBuffer());

/** Code as the fragment of a URL. */
export const packed = async (code) => `code=${letters(await through(new TextEncoder().encode(code), new CompressionStream("deflate")))}`;

/** What a fragment says: {code}, or {example} by its name; nothing where it cannot be read. */
export async function unpacked(fragment) {
  const given = new URLSearchParams(fragment.replace(/^#/, ""));
  if (given.has("example")) return { example: given.get("example") };
  if (!given.has("code")) return {};
  try {
    return { code: new TextDecoder().decode(await through(bytes(given.get("code")), new DecompressionStream("deflate"))) };
  } catch {
    return { error: "this link's code cannot be read: it was cut off, perhaps, on its way" };
  }
}
