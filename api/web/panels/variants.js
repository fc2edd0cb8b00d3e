// Variants, the deployable models: their columns, and their files.

import { hasKey, send } from "../lib/api.js";
import { attempt, h } from "../lib/dom.js";
import { bytes, milliseconds, share, measured } from "../lib/format.js";
import { METRICS, formatMetric, latencyWithInterval } from "../lib/metrics.js";
import { trialLink } from "../lib/router.js";
import { save } from "../lib/downloads.js";

export const metricColumn = (name, options = {}) => ({
  key: name,
  label: METRICS[name].label,
  sort: name,
  numeric: true,
  cell: ({ metrics }) => formatMetric(name, metrics[name]),
  ...options,
});

/** On the page of a trial the column of trials says nothing. */
export function variantColumns({ ofOneTrial = false } = {}) {
  const trial = { key: "trial", label: "Trial", numeric: true, cell: trialCell };
  return [
    { key: "recipe", label: "Recipe", cell: recipeCell },
    ...(ofOneTrial ? [] : [trial]),
    metricColumn("f1"),
    metricColumn("latency_ms", { cell: ({ metrics }) => latencyCell(metrics) }),
    { key: "speedup", label: "Against its trial", numeric: true, cell: speedup },
    metricColumn("size_bytes"),
    metricColumn("score"),
    { key: "agreement", label: "Agreement", numeric: true, wide: true, cell: ({ agreement }) => share(agreement) },
    { key: "runtime", label: "Runtime", wide: true, cell: ({ runtime, host }) => h("span", { title: host }, runtime) },
    { key: "files", label: "Files", cell: ({ artifacts }) => h("span", { class: "files" }, artifacts.map(download)) },
  ];
}

function recipeCell({ recipe, steps }) {
  return h("span", { title: steps.map(({ technique }) => technique).join(", ") || "as it was trained" }, recipe);
}

function trialCell({ id, trial_id, trial_number }) {
  return h("a", { href: trialLink(trial_id), "data-key": `variant-${id}` }, `#${trial_number}`);
}

function latencyCell(metrics) {
  return h(
    "span",
    { title: `median, and its interval: ${latencyWithInterval(metrics)}` },
    milliseconds(metrics.latency_ms),
  );
}

/** How many times as fast as the model it was made from, both timed in one run. */
function speedup({ latency: { parent_ms: parent_ms }, metrics: { latency_ms } }) {
  return parent_ms == null ? "–" : `${measured(parent_ms / latency_ms)}×`;
}

/** How the files are called that `seedleaf fetch` writes, by their kinds. */
const FILE_NAMES = {
  onnx: "model.onnx",
  program: "model.pt2",
  weights: "weights.safetensors",
  reshaped_weights: "weights.safetensors",
};

/** A link to a file. Where the server has a key a plain link cannot send it: the file is fetched, then saved. */
export function download({ id, kind, size_bytes }) {
  const path = `/artifacts/${id}`;
  const click = (event) => {
    if (!hasKey()) return;
    event.preventDefault();
    attempt(() => fetched(path));
  };
  return h("a", { href: path, download: "", "data-key": id, on: { click } }, `${FILE_NAMES[kind]} (${bytes(size_bytes)})`);
}

async function fetched(path) {
  const response = await send(path);
  const [, name] = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition"));
  save(await response.blob(), name);
}
