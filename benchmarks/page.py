"""How fast the what-if page answers, in headless Chromium: from a slider's move to the number, and what holds it.

`python benchmarks/page.py [--moves 250] [--json]` builds the page, opens it from disk, and moves each slider. README.md
says what each row means. It asserts nothing: the exit code is 0 unless gpt2calc or Chromium is not there.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc import write_page

if TYPE_CHECKING:
    from playwright.sync_api import Page

ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
STARTS = 10

MOVE = """
async ([moves, names]) => {
  const sliders = names.map((name) => document.querySelector(`#sizes input[aria-label="${name}, slider"]`));
  const painted = () => new Promise((done) => {
    requestAnimationFrame(() => {
      const {port1, port2} = new MessageChannel();
      port1.onmessage = done;
      port2.postMessage(0);
    });
  });
  const times = [];
  for (let move = 0; move < moves; move += 1) {
    await new Promise((done) => setTimeout(done, 20));
    const slider = sliders[move % sliders.length];
    const before = document.getElementById("number").textContent;
    const start = performance.now();
    const shown = painted();
    slider.value = Number(slider.value) + (slider.value < slider.max / 2 ? 3 : -3);
    slider.dispatchEvent(new Event("input", {bubbles: true}));
    await shown;
    times.push(performance.now() - start);
    if (document.getElementById("number").textContent === before) throw new Error("no number moved");
  }
  return times;
}
"""
"""Move a slider, and wait for the frame that shows the number: a message that is posted in a frame comes after it.

It is asked for before the move, so that it is posted before the page puts off to later what stands below the number.
"""

MODELS = {
    "gpt2": ("#model=gpt2", ("n_layer", "n_embd", "n_positions", "vocab_size", "n_inner")),
    "gpt2 beside gpt2-xl": ("#model=gpt2&vs=gpt2-xl", ("n_layer", "n_embd", "n_positions", "vocab_size", "n_inner")),
    "Llama-3.1-8B": ("#model=Llama-3.1-8B", ("vocab_size", "intermediate_size", "num_hidden_layers")),
    "DeepSeek-V3": ("#model=DeepSeek-V3", ("vocab_size", "hidden_size", "num_hidden_layers", "n_routed_experts")),
}
"""What is opened, and the sliders that are moved: those that change a count wherever they stand."""

HELD = """
async () => {
  let [longest, last, done] = [0, performance.now(), false];
  const beat = () => {
    const now = performance.now();
    [longest, last] = [Math.max(longest, now - last), now];
    if (!done) setTimeout(beat, 0);
  };
  beat();
  await new Promise((start) => setTimeout(start, 50));
  longest = 0;
  await (async () => { ACT })();
  await new Promise((rest) => setTimeout(rest, 50));
  done = true;
  return longest;
}
"""
"""Do something, and say for how long at most the page answered to nothing else."""

STRANGERS = """
  const wrapper = "model.".repeat(40);
  const count = [...Array(72).keys()];
  const plain = count.flatMap((n) => [`h.${n}.ln_1.weight`, ...(n < 60 ? [`h.x${n}.ln_1.weight`] : [])]);
  const names = plain.map((name) => wrapper + name);
"""
LARGEST = "const names = [...Array(13000).keys()].map((n) => `x${n}`);"
BLOCKS = "const names = [...Array(9000).keys()].map((n) => `h.${n}.ln_1.weight`);"
TAKE = """
  const entryOf = (n) => ({dtype: "F32", shape: [1], data_offsets: [4 * n, 4 * n + 4]});
  const entries = names.map((name, n) => [name, entryOf(n)]);
  const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const length = new DataView(new ArrayBuffer(8));
  length.setBigUint64(0, BigInt(header.length), true);
  await takeFiles([new File([length, header, new Uint8Array(4 * names.length)], "x.safetensors")]);
"""
FIGURE = """
  state.figure = "137M";
  drawExplained();
  while (byId("figure-said").textContent === "looking ...") await new Promise((next) => setTimeout(next, 0));
"""

PAINT = """
() => new Promise((done) => {
  const paint = () => performance.getEntriesByName("first-contentful-paint")[0];
  const wait = () => (paint() ? done(paint().startTime) : setTimeout(wait, 5));
  wait();
})
"""


class Row(NamedTuple):
    """One figure beside its target."""

    what: str
    value: float
    target: float
    unit: str

    @property
    def ratio(self) -> float:
        """The figure over its target: below 1 it is met."""
        return self.value / self.target


def measure(page: Page, address: str, size: int, moves: int) -> list[Row]:
    """Return every figure of one run."""
    paints, numbers = [], []
    for _ in range(STARTS):
        page.goto("about:blank")
        page.goto(address)
        paints.append(page.evaluate(PAINT))
        numbers.append(page.evaluate("started.then(() => performance.getEntriesByName('drawn')[0].startTime)"))
    rows = []
    for name, (fragment, sliders) in MODELS.items():
        page.goto("about:blank")
        page.goto(address + fragment)
        page.evaluate("started")
        page.evaluate(MOVE, [20, sliders])  # so that what is compiled is compiled
        times = page.evaluate(MOVE, [moves, sliders])
        rows.append(Row(f"{name}: a slider's move to the painted number, median", statistics.median(times), 16, "ms"))
        rows.append(Row(f"{name}: the same, 95th percentile", statistics.quantiles(times, n=20)[-1], 33, "ms"))
    for name, act in (
        ("a file of 60 strangers under a long wrapper", STRANGERS + TAKE),
        ("a file of 13,000 strangers", LARGEST + TAKE),
        ("a file of 9,000 blocks", BLOCKS + TAKE),
        ("the first figure", FIGURE),
    ):
        page.goto("about:blank")
        page.goto(address)
        page.evaluate("started")
        rows.append(
            Row(f"{name}: the longest that it holds the page", page.evaluate(HELD.replace("ACT", act)), 100, "ms")
        )
    rows.append(Row(f"first paint, median of {STARTS}", statistics.median(paints), 200, "ms"))
    rows.append(Row(f"first number, median of {STARTS}", statistics.median(numbers), 500, "ms"))
    rows.append(Row("the file", size / 1000, 300, "kB"))
    return rows


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--moves", type=int, default=250, help="how many moves are timed; 250 when left out")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    chromium = os.environ.get("GPT2CALC_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        print("there is no chromium on the path, and $GPT2CALC_CHROMIUM names none", file=sys.stderr)
        return 1
    from playwright.sync_api import sync_playwright

    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = os.path.join(folder, "gpt2calc.html")
        size = write_page(path)
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        version = browser.version
        rows = measure(browser.new_page(), f"file://{path}", size, arguments.moves)
        browser.close()
    if arguments.json:
        print(
            json.dumps(
                {"chromium": version, "moves": arguments.moves, "rows": [row._asdict() for row in rows]}, indent=2
            )
        )
        return 0
    print(f"Chromium {version}, headless, without a GPU; {arguments.moves} moves of each model's sliders in turn\n")
    for row in rows:
        verdict = "met" if row.ratio < 1 else "not met"
        print(f"{row.what:68} {row.value:8.1f} {row.unit:3} target {row.target:4.0f}  ratio {row.ratio:.2f}  {verdict}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
