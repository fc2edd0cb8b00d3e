// Parallel coordinates: each trial a line through what it tried and what came of it.

import { get } from "../lib/api.js";
import { chart } from "./plot.js";
import { h, panel } from "../lib/dom.js";
import { setting } from "../lib/format.js";
import { METRICS, formatMetric } from "../lib/metrics.js";
import { goalOf } from "./pareto-points.js";

const MOST_LINES = 500;
const MOST_PARAMETERS = 6;
const MOST_MARKS = 8;
/** Whole numbers of no more values than this are marked one by one. */
const FEW_VALUES = 4;
const GAP = 0.12;
const NOT_DRAWN = "–";
/** One in so many trials is highlighted. */
const BEST_SHARE = 10;

/** The panel of a study's lines through the most important of its `parameters` and its objectives; `load()` reads them. */
export function parallelPanel(model, signal) {
  let found = null;
  const plot = h("div", {});
  const drawn = chart(plot, (colours) => parallelChart(model.study, found, colours), { signal });
  const element = panel("What was tried, and what came of it", null, h("div", { class: "scroll", tabindex: 0 }, plot));
  element.hidden = true;
  return {
    element,
    async load({ parameters }) {
      const { id } = model.study;
      const names = parameters.slice(0, MOST_PARAMETERS).map(({ name }) => name);
      if (names.length === 0) return;
      found = { names, items: await read(id, names, signal) };
      element.hidden = false;
      await drawn.update();
    },
  };
}

async function read(id, names, signal) {
  return (await get(`/studies/${id}/points`, { parameter: names, most: MOST_LINES }, { signal })).items;
}

function parallelChart({ spec }, { names, items }, colours) {
  const objectives = spec.objectives.map(({ metric }) => metric);
  const known = items.filter(({ metrics }) => objectives.every((name) => name in metrics));
  const axes = [
    ...names.map((name) => axisThrough(name.split(".").slice(-2).join(" "), known.map(({ parameters }) => parameters[name]))),
    ...objectives.map((name) => axisThrough(METRICS[name].label, known.map(({ metrics }) => metrics[name]), (value) => formatMetric(name, value))),
  ];
  const [first] = objectives;
  const sign = goalOf(spec, first) === "maximize" ? 1 : -1;
  const order = known.map((_, at) => at).toSorted((a, b) => sign * (known[a].metrics[first] - known[b].metrics[first]));
  const best = Math.ceil(order.length / BEST_SHARE);
  const label = `best ${best} by ${METRICS[first].label}`;
  return {
    traces: [
      lines("Trials", order.slice(0, -best), axes, { color: colours.muted, width: 1 }, 0.35),
      lines(label, order.slice(-best), axes, { color: colours.accent, width: 1.5 }, 0.9),
      ticks(axes, colours),
    ],
    x: { title: "", tickvals: axes.map((_, at) => at), ticktext: axes.map((axis) => axis.label), range: [-0.6, axes.length - 0.4] },
    y: { title: "", visible: false, range: [-0.12, 1.12] },
    summary: `${known.length} trials by ${names.join(", ")} and their objectives; highlighted are the ${label}.`,
  };
}

/** A line for each of the trials, all in one trace. */
function lines(name, trials, axes, line, opacity) {
  const xs = trials.flatMap(() => [...axes.keys(), null]);
  const ys = trials.flatMap((at) => [...axes.map(({ heights }) => heights[at]), null]);
  return { name, mode: "lines", x: xs, y: ys, line, opacity, hoverinfo: "skip" };
}

function ticks(axes, colours) {
  const marks = axes.flatMap((axis, x) => axis.marks.map((mark) => ({ x, ...mark })));
  return {
    mode: "markers+text",
    x: marks.map(({ x }) => x),
    y: marks.map(({ y }) => y),
    text: marks.map(({ text }) => text),
    textposition: "middle right",
    textfont: { size: 11 },
    marker: { size: 4, color: colours.text },
    hoverinfo: "skip",
    showlegend: false,
  };
}

/**
 * Where each value stands between 0 and 1, and the marks of the axis: the ends of numbers, else every value. What was not
 * drawn in a trial stands at the bottom.
 */
function axisThrough(label, values, format = setting) {
  const numbers = values.filter((value) => typeof value === "number");
  const gaps = values.includes(null);
  const few = new Set(numbers).size <= FEW_VALUES && numbers.every(Number.isInteger);
  if (!few && values.every((value) => value === null || typeof value === "number")) {
    const [low, high, bottom] = [Math.min(...numbers), Math.max(...numbers), gaps ? GAP : 0];
    const height = (value) => (value === null ? 0 : bottom + ((1 - bottom) * (value - low)) / (high - low || 1));
    const ends = [low, high].map((value) => ({ y: height(value), text: format(value) }));
    return { label, heights: values.map(height), marks: gaps ? [{ y: 0, text: NOT_DRAWN }, ...ends] : ends };
  }
  const texts = [...new Set(values.map(textOf))].toSorted((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const height = (text) => (texts.length === 1 ? 0.5 : texts.indexOf(text) / (texts.length - 1));
  const marks = texts.length <= MOST_MARKS ? texts.map((text) => ({ y: height(text), text })) : [];
  return { label, heights: values.map((value) => height(textOf(value))), marks };
}

const textOf = (value) => (value === null ? NOT_DRAWN : String(value));
