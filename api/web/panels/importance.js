// What the best trials of a study share: the importance of its parameters and of the augmentation operations.

import { get } from "../lib/api.js";
import { attempt, bar, fill, h, labelledSelect, panel } from "../lib/dom.js";
import { percent } from "../lib/format.js";
import { METRICS, METRIC_OPTIONS, formatMetric } from "../lib/metrics.js";
import { table } from "../lib/table.js";

const MOST_PARAMETERS = 12;

export const readImportance = (studyId, metric, signal) =>
  get(`/studies/${studyId}/importance`, { metric }, { signal });

/** Read when it is asked for: it looks at every trial. */
export function importancePanel(studyId, signal) {
  let metric = "f1";
  const content = h("div", {});
  const choice = labelledSelect("Metric", METRIC_OPTIONS, metric, (name) => {
    metric = name;
    attempt(load);
  });
  const button = h("button", { on: { click: () => attempt(load) } }, "Read");
  const element = panel("What the best trials share", h("span", { class: "controls" }, choice, button), content);
  /** Shows what is read, and answers with it. */
  async function load() {
    const found = await readImportance(studyId, metric, signal);
    fill(content, shownImportance(found));
    return found;
  }
  return { element, load };
}

function shownImportance(found) {
  const { metric, trials, best, parameters, operations } = found;
  const { label } = METRICS[metric];
  if (parameters.length === 0) return h("p", { class: "empty" }, nothingFound(found));
  return [
    h("p", {}, `The best ${best} of ${trials} completed trials by ${label}.`),
    h("div", { class: "columns" }, parameterTable(parameters), operations.length > 0 && operationTable(found)),
  ];
}

function nothingFound({ metric, trials, needed, best }) {
  const { label } = METRICS[metric];
  if (trials < needed) return `${trials} trials with ${label} can be compared: it takes ${needed}.`;
  if (best === 0) return `No quarter of the ${trials} trials has a better ${label} than the rest.`;
  return "The study's space leaves nothing to choose.";
}

function parameterTable(parameters) {
  const rows = parameters.slice(0, MOST_PARAMETERS);
  const columns = [
    { label: "Parameter", cell: ({ name }) => name },
    { label: "Importance", numeric: true, cell: ({ importance }) => [bar(importance), percent(importance)] },
  ];
  return table({ caption: "Importance of the parameters", columns, rows });
}

function operationTable({ metric, operations }) {
  const mean = (value) => (value === null ? "–" : formatMetric(metric, value));
  const columns = [
    { label: "Operation", cell: ({ name }) => name },
    { label: "In the best", numeric: true, cell: ({ share_of_best }) => [bar(share_of_best), percent(share_of_best)] },
    { label: "In all", numeric: true, cell: ({ share_of_all }) => percent(share_of_all) },
    { label: `${METRICS[metric].label} with`, numeric: true, cell: ({ mean_with }) => mean(mean_with) },
    { label: "without", numeric: true, cell: ({ mean_without }) => mean(mean_without) },
  ];
  return table({ caption: "Augmentation operations, the most important first", columns, rows: operations });
}
