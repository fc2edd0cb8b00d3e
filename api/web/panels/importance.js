// @ts-check
// What distinguishes the best trials of a study: the importance of its parameters and of the augmentation operations.

import { get } from "../lib/api.js";
import { bar, labelledSelect, panel } from "../lib/components.js";
import { fill, h } from "../lib/dom.js";
import { percent } from "../lib/format.js";
import { METRICS, METRIC_OPTIONS, formatMetric } from "../lib/metrics.js";
import { attempt } from "../lib/notices.js";
import { table } from "../lib/table.js";

/** @import { Importance, OperationUse, ParameterImportance } from "../types/api.d.ts" */
/** @import { Column } from "../types/dom.d.ts" */
/** @import { MetricName } from "../lib/metrics.js" */

const MOST_PARAMETERS = 12;

/**
 * @param {string} studyId
 * @param {MetricName} metric
 * @param {AbortSignal} signal
 */
export const readImportance = (studyId, metric, signal) =>
  get(`/studies/${studyId}/importance`, { metric }, { signal });

/**
 * The server computes importance from every trial, so it is read on request: `load()` does, and answers with it.
 *
 * @param {string} studyId
 * @param {AbortSignal} signal
 */
export function importancePanel(studyId, signal) {
  /** @type {MetricName} */
  let metric = "f1";
  const content = h("div", {});
  const choice = labelledSelect("Metric", METRIC_OPTIONS, metric, (name) => {
    metric = name;
    attempt(load);
  });
  const button = h("button", { on: { click: () => attempt(load) } }, "Refresh");
  const controls = h("span", { class: "controls" }, choice, button);
  async function load() {
    const importance = await readImportance(studyId, metric, signal);
    fill(content, contentOf(importance));
    return importance;
  }
  return { element: panel("What the best trials have in common", controls, content), load };
}

/** @param {Importance} importance */
function contentOf(importance) {
  const { metric, trials, best, parameters, operations } = importance;
  if (parameters.length === 0) return h("p", { class: "empty" }, reasonForNone(importance));
  const tables = [parameterTable(parameters), operations.length > 0 && operationTable(metric, operations)];
  return [
    h("p", {}, `The best ${best} of ${trials} completed trials by ${METRICS[metric].label}.`),
    h("div", { class: "columns" }, tables),
  ];
}

/** @param {Importance} importance */
function reasonForNone({ metric, trials, needed, best }) {
  const { label } = METRICS[metric];
  if (trials < needed) return `${trials} completed trials have a value for ${label}; importance needs ${needed}.`;
  if (best === 0) return `No quarter of the ${trials} trials has a better ${label} than the rest.`;
  return "Every parameter of this study is fixed.";
}

/** @param {ParameterImportance[]} parameters */
function parameterTable(parameters) {
  /** @type {Column<ParameterImportance>[]} */
  const columns = [
    { label: "Parameter", cell: ({ name }) => name },
    { label: "Importance", numeric: true, cell: ({ importance }) => [bar(importance), percent(importance)] },
  ];
  return table({ caption: "Importance of the parameters", columns, rows: parameters.slice(0, MOST_PARAMETERS) });
}

/** @param {MetricName} metric @param {OperationUse[]} operations */
function operationTable(metric, operations) {
  /** @type {Column<OperationUse>[]} */
  const columns = [
    { label: "Operation", cell: ({ name }) => name },
    { label: "In the best", numeric: true, cell: ({ share_of_best }) => [bar(share_of_best), percent(share_of_best)] },
    { label: "In all", numeric: true, cell: ({ share_of_all }) => percent(share_of_all) },
    { label: `${METRICS[metric].label} with`, numeric: true, cell: ({ mean_with }) => formatMetric(metric, mean_with) },
    { label: "without", numeric: true, cell: ({ mean_without }) => formatMetric(metric, mean_without) },
  ];
  return table({ caption: "Augmentation operations, most important first", columns, rows: operations });
}
