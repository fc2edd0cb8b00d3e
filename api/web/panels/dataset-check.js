// @ts-check
// The check of a data set: starting it, waiting for it, and its report.

import { get, post, send } from "../lib/api.js";
import { facts, panel } from "../lib/components.js";
import { fill, h } from "../lib/dom.js";
import { count, measured } from "../lib/format.js";
import { attempt } from "../lib/notices.js";
import { pause } from "../lib/polling.js";
import { queuePlace } from "../lib/states.js";
import { table } from "../lib/table.js";

/** @import { ClassReport, DatasetReport, DatasetSpec, DatasetView } from "../types/api.d.ts" */
/** @import { Column } from "../types/dom.d.ts" */

const POLL_MS = 1000;

/**
 * A panel that checks the data set which `spec()` describes.
 *
 * @param {() => DatasetSpec} spec
 * @param {AbortSignal} signal
 */
export function datasetCheckPanel(spec, signal) {
  const content = h("div", { class: "report", role: "status" });
  const check = () => attempt(async () => showReport(await started(spec(), signal), content, signal));
  const button = h("button", { on: { click: check } }, "Check the images");
  return panel("Data set check", button, content);
}

/**
 * A check that is cancelled when the user leaves the form before it has ended.
 *
 * @param {DatasetSpec} spec
 * @param {AbortSignal} signal
 */
async function started(spec, signal) {
  const dataset = await post("/datasets", spec);
  // The request outlives the page; a check that has ended already is refused.
  const cancel = () => send(`/datasets/${dataset.id}/cancel`, { method: "POST", keepalive: true }).catch(() => null);
  if (signal.aborted) cancel();
  signal.addEventListener("abort", cancel, { once: true });
  window.addEventListener("pagehide", cancel, { once: true, signal });
  return dataset;
}

/**
 * Wait until a data set is checked, then show the report.
 *
 * @param {DatasetView} dataset
 * @param {HTMLElement} content
 * @param {AbortSignal} signal
 */
export async function showReport(dataset, content, signal) {
  while (["QUEUED", "RUNNING"].includes(dataset.state)) {
    const words = `The check is ${dataset.state.toLowerCase()}. It reads every image once.`;
    fill(content, h("p", { class: "muted" }, words, queuePlace(dataset)));
    await pause(POLL_MS, signal);
    dataset = await get(`/datasets/${dataset.id}`, {}, { signal });
  }
  fill(content, dataset.report ? reportOf(dataset.report) : h("pre", {}, dataset.reason));
}

/** @param {DatasetReport} report */
function reportOf({ ok, problems, classes, photos, imbalance, kinds, skipped, duplicates, leaks }) {
  return [
    h("p", {}, ok ? "No problems found." : `${count(problems.length)} problems:`),
    problems.length > 0 && h("ul", {}, problems.map((problem) => h("li", {}, problem))),
    facts([
      ["Photos", count(photos)],
      ["Largest class to smallest", imbalance === null ? null : `${measured(imbalance)} to 1`],
      ["File types", Object.keys(kinds).join(", ")],
      ["Unusable", skipped.length || null],
      ["Duplicates", duplicates.length || null],
      ["Leaks", leaks.length || null],
    ]),
    classTable(classes),
  ];
}

/** @param {ClassReport[]} classes */
function classTable(classes) {
  /** @type {Column<ClassReport>[]} */
  const columns = [
    { label: "Class", cell: ({ name }) => name },
    { label: "Images", numeric: true, cell: ({ images }) => count(images) },
    { label: "Train", numeric: true, cell: ({ train }) => count(train) },
    { label: "Validation", numeric: true, cell: ({ validation }) => count(validation) },
    { label: "Test", numeric: true, cell: ({ test }) => count(test) },
    { label: "Samples", cell: ({ name, pictures }) => pictures.map((jpeg, index) => sample(name, jpeg, index)) },
  ];
  return table({ caption: "Classes, with a few of their images", columns, rows: classes });
}

/** @param {string} name @param {string} jpeg in base64 @param {number} index */
function sample(name, jpeg, index) {
  const attributes = { class: "sample", src: `data:image/jpeg;base64,${jpeg}`, loading: "lazy" };
  return h("img", { ...attributes, alt: `${name}, sample ${index + 1}` });
}
