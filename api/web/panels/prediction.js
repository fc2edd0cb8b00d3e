// Try a model: drop a picture on it and see what it says.

import { sendFile } from "../lib/api.js";
import { attempt, bar, fill, h, labelledSelect, panel } from "../lib/dom.js";
import { milliseconds, share } from "../lib/format.js";

const MOST_CLASSES = 8;
/** The server takes 1 MB a request: larger pictures are made smaller here. */
const MOST_BYTES = 1_000_000;
const SMALLER_SIDE_PX = 1024;

/** A panel on which a picture can be dropped; `update(variants)` says which models there are, the first is chosen. */
export function tryPanel() {
  let models = [];
  let chosen = null;
  const choice = h("span", {});
  const answer = h("div", { class: "answer", role: "status" });
  const input = h("input", { type: "file", accept: "image/*", class: "visually-hidden", "aria-label": "Picture to try" });
  const area = h("label", { class: "drop" }, input, h("span", {}, "Drop a picture here, or choose one."));
  const element = panel("Try it", choice, h("div", { class: "columns" }, area, answer));
  element.hidden = true;

  async function show(file) {
    if (!file || chosen === null) return;
    const picture = h("img", { class: "tried", alt: file.name, src: URL.createObjectURL(file) });
    picture.addEventListener("load", () => URL.revokeObjectURL(picture.src), { once: true });
    fill(answer, h("p", { class: "muted" }, "Asking the model."));
    const done = await attempt(async () => {
      const response = await sendFile(`/variants/${chosen}/predict`, await smallEnough(file));
      fill(answer, picture, said(await response.json()));
    });
    if (!done) fill(answer);
  }

  input.addEventListener("change", () => show(input.files[0]));
  for (const [name, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
    area.addEventListener(name, (event) => {
      event.preventDefault();
      area.classList.toggle("over", over);
    });
  }
  area.addEventListener("drop", ({ dataTransfer }) => show(dataTransfer.files[0]));

  function update(variants) {
    models = variants.filter(({ artifacts }) => artifacts.some(({ kind }) => kind === "onnx"));
    element.hidden = models.length === 0;
    if (!models.some(({ id }) => id === chosen)) chosen = models[0]?.id ?? null;
    const options = models.map(({ id, recipe, metrics }) => [id, `${recipe}, F1 ${share(metrics.f1)}`]);
    fill(choice, labelledSelect("Model", options, chosen, (id) => (chosen = id)));
  }

  return { element, update };
}

function said({ probabilities, latency_ms }) {
  const ordered = Object.entries(probabilities).toSorted(([, a], [, b]) => b - a);
  const lines = ordered.slice(0, MOST_CLASSES).map(([name, part]) => h("li", {}, bar(part), h("span", {}, name), share(part)));
  return h(
    "div",
    {},
    h("p", {}, h("strong", {}, ordered[0][0]), `, in ${milliseconds(latency_ms)} on the server.`),
    h("ol", { class: "classes" }, lines),
  );
}

async function smallEnough(file) {
  if (file.size <= MOST_BYTES) return file;
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, SMALLER_SIDE_PX / Math.max(bitmap.width, bitmap.height));
  const canvas = new OffscreenCanvas(Math.round(bitmap.width * scale), Math.round(bitmap.height * scale));
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
}
