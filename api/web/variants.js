// Variants, the deployable models: their columns, and their files.

import { hasKey, send } from "./api.js";
import { attempt, h } from "./dom.js";
import { bytes, milliseconds, share, measured } from "./format.js";
import { METRICS, formatMetric, latencyWithInterval } from "./metrics.js";
import { trialLink } from "./router.js";
import { save } from "./save.js";

export const metricColumn = (name, options = {}) => ({
  key: name,
  label: METRICS[name].label,
  sort: name,
  numeric: true,
  cell: ({ metrics }) => formatMetric(name, metrics[name]),
  ...options,
});

/** `numberOf` gives the number of a trial by its id; without it the column of trials is left out. */
export function variantColumns(numberOf) {
  const trial = {
    key: "trial",
    label: "Trial",
    numeric: true,
    cell: ({ id, trial_id }) => trialCell(id, trial_id, numberOf),
  };
  return [
    { key: "recipe", label: "Recipe", cell: recipeCell },
    ...(numberOf ? [trial] : []),
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

function trialCell(id, trialId, numberOf) {
  return h("a", { href: trialLink(trialId), "data-key": `variant-${id}` }, `#${numberOf(trialId) ?? "?"}`);
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

/** A link to a file. Where the server has a key a plain link cannot send it: the file is fetched, then saved. */
export function download({ id, kind, size_bytes }) {
  const path = `/artifacts/${id}`;
  const click = (event) => {
    if (!hasKey()) return;
    event.preventDefault();
    attempt(() => fetched(path));
  };
  return h("a", { href: path, download: "", "data-key": id, on: { click } }, `${kind} (${bytes(size_bytes)})`);
}

async function fetched(path) {
  const response = await send(path);
  const [, name] = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition"));
  save(await response.blob(), name);
}
