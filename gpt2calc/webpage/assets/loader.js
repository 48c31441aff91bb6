// The first script: it unpacks all others and the tables, which are most of the page, and starts them.

const core = { text: "" }; // what computes, and needs no page: a worker runs it as well

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
  const packed = Uint8Array.from(atob(document.getElementById("packed").textContent), (each) => each.charCodeAt(0));
  const unpacking = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const scripts = await new Response(unpacking).json();
  core.text = scripts.core;
  const script = document.createElement("script");
  script.textContent = scripts.core + scripts.page;
  document.body.append(script);
  start();
})();
