// @ts-check
// The hypervolume of a study's first two objectives as it grows: how much of their space its trials dominate.

import { panel } from "../lib/components.js";
import { h } from "../lib/dom.js";
import { measured } from "../lib/format.js";
import { METRICS } from "../lib/metrics.js";
import { chart, trialAxis } from "./plot.js";

/** @import { Part } from "../types/dom.d.ts" */
/** @import { StudyResults } from "../lib/study-results.js" */
/** @import { Colours, Figure } from "./plot.js" */

/**
 * Hidden while there are fewer than two values.
 *
 * @param {StudyResults} results
 * @param {AbortSignal} signal
 * @returns {Part}
 */
export function hypervolumePanel(results, signal) {
  const plot = h("div", { class: "short" });
  const drawn = chart(plot, (colours) => hypervolumeChart(results, colours), { signal });
  const element = panel(`Hypervolume of ${objectiveNames(results)}`, null, plot);
  return {
    element,
    update() {
      element.hidden = results.growth.length < 2;
      return element.hidden ? null : drawn.update();
    },
  };
}

/** @param {StudyResults} results */
function objectiveNames({ study }) {
  return study.spec.objectives
    .slice(0, 2)
    .map(({ metric }) => METRICS[metric].label)
    .join(" and ");
}

/** @param {StudyResults} results @param {Colours} colours @returns {Figure} */
function hypervolumeChart(results, colours) {
  const numbers = results.growth.map(({ number }) => number);
  const values = results.growth.map(({ hypervolume }) => hypervolume);
  return {
    traces: [
      {
        mode: "lines",
        x: numbers,
        y: values,
        line: { color: colours.accent, width: 2, shape: "hv" },
        fill: "tozeroy",
        fillcolor: colours.track,
        hovertemplate: "%{y:.4g} after trial %{x}<extra></extra>",
      },
    ],
    x: trialAxis(numbers),
    y: { title: "Hypervolume", rangemode: "tozero" },
    summary: `The hypervolume of ${objectiveNames(results)} grew to ${measured(values.at(-1))}.`,
  };
}
