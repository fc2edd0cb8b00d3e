// Curves over time: a study's best so far, and a trial's learning curve.

import { chart } from "./plot.js";
import { h, labelledSelect, panel } from "../lib/dom.js";
import { measured } from "../lib/format.js";
import { METRICS, METRIC_OPTIONS, axisOf, formatMetric, isBetter } from "../lib/metrics.js";
import { goalOf } from "./pareto-points.js";
import { trialLink } from "../lib/router.js";

const NOT_YET = "No epoch has ended yet.";

/** The panel of the best value so far of a StudyModel's trials; `update()` draws it again. */
export function bestPanel(model, signal) {
  let metric = model.study.spec.objectives[0].metric;
  const plot = h("div", {});
  const drawn = chart(plot, (colours) => bestChart(model, metric, colours), {
    signal,
    onClick: (id) => (location.hash = trialLink(id)),
  });
  const choose = (name) => {
    metric = name;
    return drawn.update();
  };
  const control = labelledSelect("Metric", METRIC_OPTIONS, metric, choose);
  return { element: panel("Best so far", control, plot), update: drawn.update };
}

function bestChart({ study, trials }, metric, colours) {
  const { label } = METRICS[metric];
  const text = (value) => formatMetric(metric, value);
  const goal = goalOf(study.spec, metric);
  const shown = [...trials.values()].filter(({ state, metrics }) => state === "COMPLETED" && metric in metrics);
  const numbers = shown.map(({ number }) => number);
  const values = shown.map(({ metrics }) => metrics[metric]);
  const best = bestSoFar(values, goal);
  return {
    traces: [
      {
        name: "Trials",
        mode: "markers",
        x: numbers,
        y: values,
        marker: { size: 7, color: colours.muted, opacity: 0.6 },
        customdata: shown.map(({ id }) => id),
        hovertext: shown.map(({ number, metrics }) => `Trial ${number}<br>${label} ${text(metrics[metric])}`),
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
    x: { title: "Trial", rangemode: "tozero" },
    y: axisOf(metric, values),
    summary: best.length
      ? `After ${best.length} trials the best ${label} is ${text(best.at(-1))}.`
      : "No trial has been completed yet.",
  };
}

/** The panel of how much of the objectives' space the study has conquered; `update()` draws it again. */
export function growthPanel(model, signal) {
  const plot = h("div", { class: "short" });
  const drawn = chart(plot, (colours) => growthChart(model, colours), { signal });
  const [first, second] = model.study.spec.objectives.map(({ metric }) => METRICS[metric].label);
  const element = panel(`Hypervolume of ${first} and ${second}`, null, plot);
  return {
    element,
    update() {
      element.hidden = model.growth.length < 2;
      return element.hidden ? null : drawn.update();
    },
  };
}

function growthChart({ study, growth }, colours) {
  const [first, second] = study.spec.objectives.map(({ metric }) => METRICS[metric].label);
  const values = growth.map(({ hypervolume }) => hypervolume);
  return {
    traces: [
      {
        mode: "lines",
        x: growth.map(({ number }) => number),
        y: values,
        line: { color: colours.accent, width: 2, shape: "hv" },
        fill: "tozeroy",
        fillcolor: colours.track,
        hovertemplate: "%{y:.4g} after trial %{x}<extra></extra>",
      },
    ],
    x: { title: "Trial", rangemode: "tozero" },
    y: { title: "Hypervolume", rangemode: "tozero" },
    summary: `The hypervolume of ${first} and ${second} grew to ${measured(values.at(-1))}.`,
  };
}

function bestSoFar(values, goal) {
  let best = values[0];
  return values.map((value) => (best = isBetter(goal, value, best) ? value : best));
}

/** The panel of a trial's learning curve beside its study's; `update(epochs, typical)` draws it. */
export function learningPanel(signal) {
  let epochs = [];
  let typical = [];
  const quality = h("div", { class: "short" });
  const loss = h("div", { class: "short" });
  const charts = [
    chart(quality, (colours) => qualityChart(epochs, typical, colours), { signal }),
    chart(loss, (colours) => lossChart(epochs, colours), { signal }),
  ];
  const element = panel("Learning curve", null, h("div", { class: "columns" }, quality, loss));
  function update(changed, ofStudy) {
    epochs = changed;
    typical = ofStudy;
    element.hidden = epochs.length === 0;
    return Promise.all(charts.map((drawn) => drawn.update()));
  }
  return { element, update };
}

function qualityChart(epochs, typical, colours) {
  const last = epochs.at(-1);
  return {
    traces: [
      ...band(typical, colours),
      epochLine("F1", epochs, "f1", { color: colours.accent, width: 2 }),
      epochLine("Accuracy", epochs, "accuracy", { color: colours.info, width: 2, dash: "dot" }),
    ],
    x: epochAxis(epochs),
    y: { title: "F1 and accuracy, validation" },
    summary: last ? `F1 is ${formatMetric("f1", last.f1)} after ${last.epoch} epochs.` : NOT_YET,
  };
}

/** Where the F1 of half of the study's trials lies, and their median. */
function band(typical, colours) {
  const line = (name, metric, style) => ({
    name,
    mode: "lines",
    x: typical.map(({ epoch }) => epoch),
    y: typical.map((row) => row[metric]),
    hoverinfo: "skip",
    line: { width: 0, ...style },
  });
  return [
    { ...line("lower", "lower_f1", {}), showlegend: false },
    { ...line("Half of the study", "upper_f1", {}), fill: "tonexty", fillcolor: colours.track },
    line("Its median", "median_f1", { width: 1, color: colours.muted, dash: "dash" }),
  ];
}

function lossChart(epochs, colours) {
  const last = epochs.at(-1);
  return {
    traces: [epochLine("Loss", epochs, "loss", { color: colours.warning, width: 2 })],
    x: epochAxis(epochs),
    y: { title: "Training loss", rangemode: "tozero" },
    summary: last ? `The training loss is ${last.loss.toPrecision(3)} after ${last.epoch} epochs.` : NOT_YET,
  };
}

const epochAxis = (epochs) => ({ title: "Epoch", dtick: Math.ceil(epochs.length / 10) || 1 });

function epochLine(name, epochs, metric, style) {
  return {
    name,
    mode: "lines+markers",
    x: epochs.map(({ epoch }) => epoch),
    y: epochs.map((row) => row[metric]),
    line: style,
    marker: { size: 5 },
    hovertemplate: `${name} %{y:.4f} after epoch %{x}<extra></extra>`,
  };
}
