// @ts-check
// The best value so far of a metric, trial by trial.

import { labelledSelect, panel } from "../lib/components.js";
import { h } from "../lib/dom.js";
import { METRICS, METRIC_OPTIONS, axisOf, formatMetric, goalOf, isBetter } from "../lib/metrics.js";
import { trialLink } from "../lib/router.js";
import { chart, trialAxis } from "./plot.js";

/** @import { Goal } from "../types/api.d.ts" */
/** @import { Part } from "../types/dom.d.ts" */
/** @import { MetricName } from "../lib/metrics.js" */
/** @import { StudyResults } from "../lib/study-results.js" */
/** @import { Colours, Figure } from "./plot.js" */

/** @param {StudyResults} results @param {AbortSignal} signal @returns {Part} */
export function bestPanel(results, signal) {
  let metric = results.study.spec.objectives[0].metric;
  const plot = h("div", {});
  const drawn = chart(plot, (colours) => bestChart(results, metric, colours), {
    signal,
    onClick: (id) => (location.hash = trialLink(id)),
  });
  const control = labelledSelect("Metric", METRIC_OPTIONS, metric, (name) => {
    metric = name;
    return drawn.update();
  });
  return { element: panel("Best so far", control, plot), update: drawn.update };
}

/** @param {StudyResults} results @param {MetricName} metric @param {Colours} colours @returns {Figure} */
function bestChart({ study, trials }, metric, colours) {
  const { label } = METRICS[metric];
  const completed = [...trials.values()].filter(({ state, metrics }) => state === "COMPLETED" && metric in metrics);
  const numbers = completed.map(({ number }) => number);
  const values = completed.map(({ metrics }) => metrics[metric]);
  const best = bestSoFar(values, goalOf(study.spec, metric));
  const last = best.at(-1);
  return {
    traces: [
      {
        name: "Trials",
        mode: "markers",
        x: numbers,
        y: values,
        marker: { size: 7, color: colours.muted, opacity: 0.6 },
        customdata: completed.map(({ id }) => id),
        hovertext: completed.map(
          ({ number, metrics }) => `Trial ${number}\n${label} ${formatMetric(metric, metrics[metric])}`,
        ),
        hoverinfo: "text",
      },
      {
        name: "Best so far",
        mode: "lines",
        x: numbers,
        y: best,
        hoverinfo: "skip",
        line: { color: colours.accent, width: 2, shape: "hv" },
      },
    ],
    x: trialAxis(numbers),
    y: axisOf(metric, values),
    summary:
      last === undefined
        ? "No trial is completed yet."
        : `After ${best.length} trials the best ${label} is ${formatMetric(metric, last)}.`,
  };
}

/** @param {number[]} values @param {Goal} goal */
function bestSoFar(values, goal) {
  let best = values[0];
  return values.map((value) => (best = isBetter(goal, value, best) ? value : best));
}
