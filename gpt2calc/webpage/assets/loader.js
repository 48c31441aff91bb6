// The first script: it unpacks all others and the tables, which are most of the page, and starts them.

const core = { text: "" }; // what computes, and needs no page: a worker runs it as well

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";

/** The bytes of a text to the base of 85, as Python's base64.b85encode writes them: four in five digits. */
function bytesIn(text) {
  const values = new Map([...DIGITS].map((digit, value) => [digit, value]));
  const [size, words] = [Math.floor((text.length * 4) / 5), new DataView(new ArrayBuffer(text.length + 5))];
  for (let at = 0; at < text.length; at += 5) {
    let word = 0;
    for (const digit of text.slice(at, at + 5).padEnd(5, "~")) word = word * 85 + values.get(digit);
    words.setUint32((at / 5) * 4, word);
  }
  return new Uint8Array(words.buffer, 0, size);
}

/** A GPT-2 is drawn as soon as everything is unpacked. */
const started = (async () => {
  const wanted = /[#&]theme=(dark|light)/.exec(location.hash)?.[1];
  document.documentElement.dataset.theme = wanted ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  const notice = document.getElementById("notice");
  if (!(globalThis.DecompressionStream && Map.groupBy && Set.prototype.difference)) {
    notice.textContent = "This page needs a browser of 2024 or later: Chrome or Edge 122, Firefox 127, Safari 17.4";
    notice.hidden = false;
    return;
  }
  const unpacking = new Blob([bytesIn(document.getElementById("packed").textContent)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const scripts = await new Response(unpacking).json();
  core.text = scripts.core;
  const script = document.createElement("script");
  script.textContent = scripts.core + scripts.page;
  document.body.append(script);
  start();
  performance.mark("drawn");
})();
