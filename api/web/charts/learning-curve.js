// @ts-check
// A trial's learning curve, beside the curves of the other trials of its study.

import { panel } from "../lib/components.js";
import { h } from "../lib/dom.js";
import { formatMetric } from "../lib/metrics.js";
import { chart } from "./plot.js";

/** @import { EpochView, TypicalEpoch } from "../types/api.d.ts" */
/** @import { Axis, Colours, Figure, Trace } from "./plot.js" */

const NO_EPOCH = "No epoch has ended yet.";

/** @param {AbortSignal} signal */
export function learningPanel(signal) {
  /** @type {EpochView[]} */
  let epochs = [];
  /** @type {TypicalEpoch[]} */
  let typical = [];
  const quality = h("div", { class: "short" });
  const loss = h("div", { class: "short" });
  const charts = [
    chart(quality, (colours) => qualityChart(epochs, typical, colours), { signal }),
    chart(loss, (colours) => lossChart(epochs, colours), { signal }),
  ];
  const element = panel("Learning curve", null, h("div", { class: "columns" }, quality, loss));
  return {
    element,
    /** @param {EpochView[]} ofTrial @param {TypicalEpoch[]} ofStudy */
    update(ofTrial, ofStudy) {
      epochs = ofTrial;
      typical = ofStudy;
      element.hidden = epochs.length === 0;
      return Promise.all(charts.map((drawn) => drawn.update()));
    },
  };
}

/** @param {EpochView[]} epochs @param {TypicalEpoch[]} typical @param {Colours} colours @returns {Figure} */
function qualityChart(epochs, typical, colours) {
  const last = epochs.at(-1);
  return {
    traces: [
      ...quartiles(typical, colours),
      epochLine("F1", epochs, "f1", { color: colours.accent, width: 2 }),
      epochLine("Accuracy", epochs, "accuracy", { color: colours.info, width: 2, dash: "dot" }),
    ],
    x: epochAxis(epochs),
    y: { title: "F1 and accuracy, validation" },
    summary: last ? `F1 is ${formatMetric("f1", last.f1)} after ${last.epoch} epochs.` : NO_EPOCH,
  };
}

/**
 * The quartiles and the median of F1 over the study's trials.
 *
 * @param {TypicalEpoch[]} typical
 * @param {Colours} colours
 */
function quartiles(typical, colours) {
  /**
   * @param {string} name
   * @param {"lower_f1" | "median_f1" | "upper_f1"} quantile
   * @param {Trace["line"]} style
   * @returns {Trace}
   */
  const line = (name, quantile, style) => ({
    name,
    mode: "lines",
    x: typical.map(({ epoch }) => epoch),
    y: typical.map((row) => row[quantile]),
    hoverinfo: "skip",
    line: { width: 0, ...style },
  });
  /** @type {Trace[]} */
  const traces = [
    { ...line("lower", "lower_f1", {}), showlegend: false },
    { ...line("Middle half of the study's trials", "upper_f1", {}), fill: "tonexty", fillcolor: colours.track },
    line("Median", "median_f1", { width: 1, color: colours.muted, dash: "dash" }),
  ];
  return traces;
}

/** @param {EpochView[]} epochs @param {Colours} colours @returns {Figure} */
function lossChart(epochs, colours) {
  const last = epochs.at(-1);
  return {
    traces: [epochLine("Loss", epochs, "loss", { color: colours.warning, width: 2 })],
    x: epochAxis(epochs),
    y: { title: "Training loss", rangemode: "tozero" },
    summary: last ? `The training loss is ${last.loss.toPrecision(3)} after ${last.epoch} epochs.` : NO_EPOCH,
  };
}

/** @param {EpochView[]} epochs @returns {Axis} */
const epochAxis = (epochs) => ({ title: "Epoch", dtick: Math.ceil(epochs.length / 10) || 1 });

/**
 * @param {string} name
 * @param {EpochView[]} epochs
 * @param {"f1" | "accuracy" | "loss"} quantity
 * @param {Trace["line"]} line
 * @returns {Trace}
 */
function epochLine(name, epochs, quantity, line) {
  return {
    name,
    mode: "lines+markers",
    x: epochs.map(({ epoch }) => epoch),
    y: epochs.map((row) => row[quantity]),
    line,
    marker: { size: 5 },
    hovertemplate: `${name} %{y:.4f} after epoch %{x}<extra></extra>`,
  };
}
