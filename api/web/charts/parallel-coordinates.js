// @ts-check
// Parallel coordinates: each trial is a line through its parameters and its objectives.

import { get } from "../lib/api.js";
import { panel } from "../lib/components.js";
import { h } from "../lib/dom.js";
import { setting } from "../lib/format.js";
import { METRICS, formatMetric, goalOf } from "../lib/metrics.js";
import { chart } from "./plot.js";

/** @import { Importance, PointView, StudyView } from "../types/api.d.ts" */
/** @import { StudyResults } from "../lib/study-results.js" */
/** @import { Colours, Figure, Trace } from "./plot.js" */

/**
 * An axis: the height of each trial on it, from 0 to 1, and the labels beside it.
 *
 * @typedef {{ label: string, heights: number[], marks: Mark[] }} Scale
 */
/** @typedef {{ y: number, text: string }} Mark */
/** @typedef {{ names: string[], items: PointView[] }} Lines the parameters of the axes, and the trials */

const MOST_LINES = 500;
const MOST_PARAMETERS = 6;
const MOST_MARKS = 8;
/** Whole numbers of no more values than this are marked one by one. */
const FEW_VALUES = 4;
const GAP = 0.12;
const NOT_DRAWN = "–";
/** One in so many trials is highlighted. */
const BEST_EVERY = 10;

/**
 * A study's trials as lines through its most important parameters and its objectives. Hidden until `load()` has read
 * them.
 *
 * @param {StudyResults} results
 * @param {AbortSignal} signal
 */
export function parallelPanel(results, signal) {
  /** @type {Lines} */
  let lines = { names: [], items: [] };
  const plot = h("div", {});
  const drawn = chart(plot, (colours) => parallelChart(results.study, lines, colours), { signal });
  const scroller = h("div", { class: "scroll", tabindex: 0 }, plot);
  const element = panel("Parameters and results of the trials", null, scroller);
  element.hidden = true;
  return {
    element,
    /** @param {Importance} importance */
    async load({ parameters }) {
      const names = parameters.slice(0, MOST_PARAMETERS).map(({ name }) => name);
      if (names.length === 0) return;
      const query = { parameter: names, most: MOST_LINES };
      const { items } = await get(`/studies/${results.study.id}/points`, query, { signal });
      lines = { names, items };
      element.hidden = false;
      await drawn.update();
    },
  };
}

/** @param {StudyView} study @param {Lines} lines @param {Colours} colours @returns {Figure} */
function parallelChart({ spec }, { names, items }, colours) {
  const objectives = spec.objectives.map(({ metric }) => metric);
  const trials = items.filter(({ metrics }) => objectives.every((name) => name in metrics));
  const scales = [
    ...names.map((name) => scaleOf(shortName(name), trials.map(({ parameters }) => parameters[name]))),
    ...objectives.map((name) =>
      scaleOf(METRICS[name].label, trials.map(({ metrics }) => metrics[name]), (value) => formatMetric(name, value)),
    ),
  ];
  const [first] = objectives;
  const sign = goalOf(spec, first) === "maximize" ? 1 : -1;
  const worstFirst = [...trials.keys()].toSorted(
    (a, b) => sign * (trials[a].metrics[first] - trials[b].metrics[first]),
  );
  const best = Math.ceil(trials.length / BEST_EVERY);
  const label = `best ${best} by ${METRICS[first].label}`;
  return {
    traces: [
      trialLines("Trials", worstFirst.slice(0, -best), scales, { color: colours.muted, width: 1 }, 0.35),
      trialLines(label, worstFirst.slice(-best), scales, { color: colours.accent, width: 1.5 }, 0.9),
      ticks(scales, colours),
    ],
    x: {
      title: "",
      tickvals: scales.map((_, index) => index),
      ticktext: scales.map((scale) => scale.label),
      range: [-0.6, scales.length - 0.4],
    },
    y: { title: "", visible: false, range: [-0.12, 1.12] },
    summary: `${trials.length} trials by ${names.join(", ")} and their objectives; highlighted are the ${label}.`,
  };
}

/** @param {string} name */
const shortName = (name) => name.split(".").slice(-2).join(" ");

/**
 * A line for each of the trials, all in one trace.
 *
 * @param {string} name
 * @param {number[]} trials their indices
 * @param {Scale[]} scales
 * @param {Trace["line"]} line
 * @param {number} opacity
 * @returns {Trace}
 */
function trialLines(name, trials, scales, line, opacity) {
  const x = trials.flatMap(() => [...scales.keys(), null]);
  const y = trials.flatMap((trial) => [...scales.map(({ heights }) => heights[trial]), null]);
  return { name, mode: "lines", x, y, line, opacity, hoverinfo: "skip" };
}

/** @param {Scale[]} scales @param {Colours} colours @returns {Trace} */
function ticks(scales, colours) {
  const marks = scales.flatMap((scale, x) => scale.marks.map((mark) => ({ x, ...mark })));
  return {
    mode: "text+markers",
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
 * The height of each value between 0 and 1, and the marks of the axis: the ends of numbers, else every value. A value
 * that was not drawn in a trial is null and at the bottom.
 *
 * @param {string} label
 * @param {unknown[]} values
 * @param {(value: number) => string} [format]
 * @returns {Scale}
 */
function scaleOf(label, values, format = setting) {
  const numbers = values.filter((value) => typeof value === "number");
  const few = new Set(numbers).size <= FEW_VALUES && numbers.every(Number.isInteger);
  const isNumeric = values.every((value) => value === null || typeof value === "number");
  return !few && isNumeric ? numericScale(label, values, numbers, format) : categoricalScale(label, values);
}

/**
 * @param {string} label
 * @param {unknown[]} values
 * @param {number[]} numbers those of the values that are not null
 * @param {(value: number) => string} format
 * @returns {Scale}
 */
function numericScale(label, values, numbers, format) {
  const hasGaps = numbers.length < values.length;
  const [low, high, bottom] = [Math.min(...numbers), Math.max(...numbers), hasGaps ? GAP : 0];
  /** @param {number} value */
  const height = (value) => bottom + ((1 - bottom) * (value - low)) / (high - low || 1);
  const ends = [low, high].map((value) => ({ y: height(value), text: format(value) }));
  return {
    label,
    heights: values.map((value) => (typeof value === "number" ? height(value) : 0)),
    marks: hasGaps ? [{ y: 0, text: NOT_DRAWN }, ...ends] : ends,
  };
}

/** @param {string} label @param {unknown[]} values @returns {Scale} */
function categoricalScale(label, values) {
  /** @param {unknown} value */
  const textOf = (value) => (value === null ? NOT_DRAWN : String(value));
  const texts = [...new Set(values.map(textOf))].toSorted((a, b) => a.localeCompare(b, "en", { numeric: true }));
  /** @param {string} text */
  const height = (text) => (texts.length === 1 ? 0.5 : texts.indexOf(text) / (texts.length - 1));
  const marks = texts.length <= MOST_MARKS ? texts.map((text) => ({ y: height(text), text })) : [];
  return { label, heights: values.map((value) => height(textOf(value))), marks };
}
