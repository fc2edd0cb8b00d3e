// @ts-check
// Variants, the deployable models: their columns, and their files.

import { hasKey, send } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { save } from "../lib/downloads.js";
import { bytes, fraction, measured, milliseconds } from "../lib/format.js";
import { METRICS, formatMetric, latencyWithInterval, testF1WithInterval } from "../lib/metrics.js";
import { attempt } from "../lib/notices.js";
import { trialLink } from "../lib/router.js";

/** @import { ArtifactView, VariantView } from "../types/api.d.ts" */
/** @import { ListColumn } from "../types/dom.d.ts" */
/** @import { MetricName, Metrics } from "../lib/metrics.js" */

/**
 * @template {{ metrics: Metrics }} Row
 * @param {MetricName} name
 * @param {Partial<ListColumn<Row>>} [options]
 * @returns {ListColumn<Row>}
 */
export const metricColumn = (name, options = {}) => ({
  key: name,
  label: METRICS[name].label,
  sort: name,
  numeric: true,
  cell: ({ metrics }) => formatMetric(name, metrics[name]),
  ...options,
});

/**
 * F1 on the test split. No list is sorted by it: whoever chose a model by it would have no untouched score left.
 *
 * @template {Pick<VariantView, "f1_test" | "f1_test_low" | "f1_test_high">} Row
 * @returns {ListColumn<Row>}
 */
export const testColumn = () => ({
  key: "f1_test",
  label: "F1 test",
  numeric: true,
  cell: (row) => h("span", { title: `with its interval: ${testF1WithInterval(row)}` }, fraction(row.f1_test)),
});

/**
 * The columns of a list of variants; on the page of a trial without the trial.
 *
 * @param {{ ofOneTrial?: boolean }} [options]
 * @returns {ListColumn<VariantView>[]}
 */
export function variantColumns({ ofOneTrial = false } = {}) {
  const trial = { key: "trial", label: "Trial", numeric: true, cell: trialCell };
  return [
    { key: "recipe", label: "Recipe", cell: recipeCell },
    ...(ofOneTrial ? [] : [trial]),
    metricColumn("f1"),
    testColumn(),
    metricColumn("latency_ms", { cell: ({ metrics }) => latencyCell(metrics) }),
    { key: "speedup", label: "Speedup", numeric: true, cell: speedup },
    metricColumn("size_bytes"),
    metricColumn("score"),
    { key: "agreement", label: "Agreement", numeric: true, wide: true, cell: ({ agreement }) => fraction(agreement) },
    { key: "runtime", label: "Runtime", wide: true, cell: ({ runtime, host }) => h("span", { title: host }, runtime) },
    { key: "files", label: "Files", cell: ({ artifacts }) => h("span", { class: "files" }, artifacts.map(download)) },
  ];
}

/** @param {VariantView} variant */
function recipeCell({ recipe, steps }) {
  return h("span", { title: steps.map(({ technique }) => technique).join(", ") || "as it was trained" }, recipe);
}

/** @param {VariantView} variant */
function trialCell({ id, trial_id, trial_number }) {
  return h("a", { href: trialLink(trial_id), "data-key": `variant-${id}` }, `#${trial_number}`);
}

/** @param {Metrics} metrics */
function latencyCell(metrics) {
  return h(
    "span",
    { title: `median, and its interval: ${latencyWithInterval(metrics)}` },
    milliseconds(metrics.latency_ms),
  );
}

/** How many times as fast as its trial's model, both timed in one run. @param {VariantView} variant */
function speedup({ latency: { parent_ms }, metrics: { latency_ms } }) {
  return typeof parent_ms === "number" ? `${measured(parent_ms / latency_ms)}×` : "–";
}

/** How the files are called that `seedleaf fetch` writes, by their kinds. @type {Record<string, string>} */
const FILE_NAMES = {
  onnx: "model.onnx",
  program: "model.pt2",
  weights: "weights.safetensors",
  reshaped_weights: "weights.safetensors",
};

/**
 * A link to a file. Where the server has a key a plain link cannot send it: the file is fetched, then saved.
 *
 * @param {ArtifactView} artifact
 */
export function download({ id, kind, size_bytes }) {
  const path = `/artifacts/${id}`;
  /** @param {Event} event */
  const click = (event) => {
    if (!hasKey()) return;
    event.preventDefault();
    attempt(() => fetchAndSave(path));
  };
  const text = `${FILE_NAMES[kind] ?? kind} (${bytes(size_bytes)})`;
  return h("a", { href: path, download: "", "data-key": id, on: { click } }, text);
}

/** @param {string} path */
async function fetchAndSave(path) {
  const response = await send(path);
  const name = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "")?.[1];
  save(await response.blob(), name ?? "model");
}
