// @ts-check
// Try a model: drop a picture on it and see which class it predicts.

import { sendFile } from "../lib/api.js";
import { bar, labelledSelect, panel } from "../lib/components.js";
import { fill, h } from "../lib/dom.js";
import { fraction, milliseconds } from "../lib/format.js";
import { attempt } from "../lib/notices.js";

/** @import { Prediction, VariantView } from "../types/api.d.ts" */

const MOST_CLASSES = 8;
/** The server takes 1 MB a request: larger pictures are made smaller here. */
const MOST_BYTES = 1_000_000;
const SMALLER_SIDE_PX = 1024;

/** A panel for one picture; `update(variants)` says which models there are, and the first is chosen. */
export function predictionPanel() {
  /** The id of a variant. @type {string | null} */
  let chosen = null;
  const choice = h("span", {});
  const answer = h("div", { class: "answer", role: "status" });
  const input = h("input", {
    type: "file",
    accept: "image/*",
    class: "visually-hidden",
    "aria-label": "Picture to try",
  });
  const area = h("label", { class: "drop" }, input, h("span", {}, "Drop a picture here, or choose one."));
  const element = panel("Try it", choice, h("div", { class: "columns" }, area, answer));
  element.hidden = true;

  /** @param {File | undefined} file */
  async function predict(file) {
    if (!file || chosen === null) return;
    const picture = h("img", { class: "tried", alt: file.name, src: URL.createObjectURL(file) });
    picture.addEventListener("load", () => URL.revokeObjectURL(picture.src), { once: true });
    fill(answer, h("p", { class: "muted" }, "Asking the model."));
    const done = await attempt(async () => {
      const prediction = await sendFile(`/variants/${chosen}/predict`, await smallEnough(file));
      fill(answer, picture, predictionText(prediction));
    });
    if (!done) fill(answer);
  }

  input.addEventListener("change", () => predict(input.files?.[0]));
  acceptDrops(area, predict);

  /** @param {VariantView[]} variants */
  function update(variants) {
    const models = variants.filter(({ artifacts }) => artifacts.some(({ kind }) => kind === "onnx"));
    element.hidden = models.length === 0;
    if (!models.some(({ id }) => id === chosen)) chosen = models[0]?.id ?? null;
    /** @type {[string, string][]} */
    const options = models.map(({ id, recipe, metrics }) => [id, `${recipe}, F1 ${fraction(metrics.f1)}`]);
    fill(choice, labelledSelect("Model", options, chosen, (id) => (chosen = id)));
  }

  return { element, update };
}

/** @param {HTMLElement} area @param {(file: File | undefined) => void} onFile */
function acceptDrops(area, onFile) {
  /** @param {DragEvent} event @param {boolean} isOver */
  const mark = (event, isOver) => {
    event.preventDefault();
    area.classList.toggle("over", isOver);
  };
  area.addEventListener("dragover", (event) => mark(event, true));
  area.addEventListener("dragleave", (event) => mark(event, false));
  area.addEventListener("drop", (event) => {
    mark(event, false);
    onFile(event.dataTransfer?.files[0]);
  });
}

/** @param {Prediction} prediction */
function predictionText({ probabilities, latency_ms }) {
  const likeliestFirst = Object.entries(probabilities).toSorted(([, a], [, b]) => b - a);
  const lines = likeliestFirst
    .slice(0, MOST_CLASSES)
    .map(([name, probability]) => h("li", {}, bar(probability), h("span", {}, name), fraction(probability)));
  return h(
    "div",
    {},
    h("p", {}, h("strong", {}, likeliestFirst[0][0]), `, in ${milliseconds(latency_ms)} on the server.`),
    h("ol", { class: "classes" }, lines),
  );
}

/** @param {File} file @returns {Promise<Blob>} */
async function smallEnough(file) {
  if (file.size <= MOST_BYTES) return file;
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, SMALLER_SIDE_PX / Math.max(bitmap.width, bitmap.height));
  const canvas = new OffscreenCanvas(Math.round(bitmap.width * scale), Math.round(bitmap.height * scale));
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
}
