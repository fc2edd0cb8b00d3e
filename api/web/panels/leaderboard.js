// @ts-check
// The leaderboard of a study: one row per trial, filtered, sorted and compared.

import { labelledSelect, panel } from "../lib/components.js";
import { h } from "../lib/dom.js";
import { fraction, setting, shortReason } from "../lib/format.js";
import { METRICS, METRIC_NAMES, formatMetric } from "../lib/metrics.js";
import { trialLink } from "../lib/router.js";
import { ServerList } from "../lib/server-list.js";
import { ROLE_NAMES, TRIAL_STATES, badge, stateOptions } from "../lib/states.js";
import { table } from "../lib/table.js";
import { metricFilter } from "./metric-filter.js";
import { metricColumn, testColumn } from "./variants.js";

/** @import { Architecture, Candidate, TrialView } from "../types/api.d.ts" */
/** @import { Child, Column, ListColumn, Part } from "../types/dom.d.ts" */

/** Columns that are hidden until they are chosen. */
const EXTRA = ["accuracy", "latency_p90_ms", "memory_bytes"];
/** @type {(keyof Candidate)[]} */
const COMPARED_SETTINGS = ["image_size", "batch_size", "learning_rate", "optimizer", "schedule", "loss"];

/** @param {string} studyId @param {AbortSignal} signal @returns {Part} */
export function leaderboardPanel(studyId, signal) {
  /** @type {ListColumn<TrialView>[]} */
  const columns = [
    { key: "number", label: "Trial", sort: "number", numeric: true, cell: trialCell },
    ...METRIC_NAMES.flatMap((name) => {
      const column = metricColumn(name, { extra: EXTRA.includes(name) });
      return name === "f1" ? [column, testColumn()] : [column];
    }),
    { key: "state", label: "State", cell: stateCell },
    { key: "best", label: "Best variant", cell: bestVariantCell },
  ];
  const list = new ServerList({
    caption: "Leaderboard: one row per trial",
    path: "/trials",
    parameters: { study_id: studyId },
    columns,
    sort: "score",
    empty: "No trial yet.",
    compare: comparison,
    nameOf: ({ number }) => `trial ${number}`,
    signal,
  });
  const state = labelledSelect("State", stateOptions(TRIAL_STATES), "", (chosen) => list.filter({ state: chosen }));
  const where = metricFilter((filters) => list.filter({ where: filters }));
  return { element: panel("Leaderboard", [state, where, list.controls()], list.element), update: () => list.refresh() };
}

/** Trials side by side: what was measured, and what they tried. @param {TrialView[]} trials */
function comparison(trials) {
  /** @typedef {[label: string, text: (trial: TrialView) => Child]} Row */
  /** @type {Row[]} */
  const rows = [
    ...METRIC_NAMES.map(
      (name) => /** @type {Row} */ ([METRICS[name].label, ({ metrics }) => formatMetric(name, metrics[name])]),
    ),
    ...COMPARED_SETTINGS.map(
      (name) => /** @type {Row} */ ([name.replaceAll("_", " "), ({ candidate }) => settingText(candidate[name])]),
    ),
    ["layers", ({ candidate }) => layersText(candidate.architecture)],
    ["augmentation", ({ candidate }) => operationsText(candidate)],
  ];
  /** @type {Column<Row>[]} */
  const columns = [
    { label: "", cell: ([label]) => label },
    ...trials.map((trial) => ({ label: `Trial ${trial.number}`, cell: (/** @type {Row} */ [, text]) => text(trial) })),
  ];
  return table({ caption: "Comparison of the chosen trials", columns, rows });
}

/** @param {unknown} value */
const settingText = (value) => (typeof value === "number" ? setting(value) : String(value));

/** @param {Candidate} candidate */
const operationsText = ({ augmentation }) => augmentation.operations.map(({ name }) => name).join(", ") || "none";

/** @param {Architecture} architecture */
function layersText({ backbone }) {
  const lines = backbone.map(([repeat, block, values]) => {
    const times = repeat > 1 ? `${repeat} × ` : "";
    return h("li", {}, `${times}${block} ${values.join(" ")}`);
  });
  return h("ol", { class: "layers" }, lines);
}

/** @param {TrialView} trial */
function trialCell({ id, number, role }) {
  const link = h("a", { href: trialLink(id), "data-key": `row-${id}`, "aria-label": `Trial #${number}` }, `#${number}`);
  return role === null ? link : [link, ` ${ROLE_NAMES[role]}`];
}

/** @param {TrialView} trial */
function stateCell({ state, reason }) {
  return [badge(state), reason && h("span", { class: "reason", title: reason }, shortReason(reason))];
}

/** @param {TrialView} trial */
function bestVariantCell({ best_variant }) {
  if (best_variant === null) return null;
  const { recipe, metrics } = best_variant;
  const words = `${recipe}: F1 ${fraction(metrics.f1)}, ${formatMetric("latency_ms", metrics.latency_ms)}`;
  return h("span", { class: "best" }, words);
}
