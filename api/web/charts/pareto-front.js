// @ts-check
// The Pareto front of any two metrics: trials and the variants made from them. Dominated points are faded.

import { labelledSelect, panel } from "../lib/components.js";
import { fill, h } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { METRICS, METRIC_OPTIONS, axisOf, formatMetric, goalOf, latencyWithInterval } from "../lib/metrics.js";
import { attempt } from "../lib/notices.js";
import { trialLink } from "../lib/router.js";
import { ROLE_NAMES } from "../lib/states.js";
import { hostsOf, pointsOf } from "./pareto-points.js";
import { chart } from "./plot.js";

/** @import { Goal } from "../types/api.d.ts" */
/** @import { Part } from "../types/dom.d.ts" */
/** @import { MetricName, Metrics } from "../lib/metrics.js" */
/** @import { StudyResults } from "../lib/study-results.js" */
/** @import { Point } from "./pareto-points.js" */
/** @import { Colours, Figure, Trace } from "./plot.js" */

/** @typedef {{ x: MetricName, y: MetricName, host: string | null }} Axes what the user has chosen */
/** @typedef {{ name: string, points: Point[], marker: Trace["marker"], axes: Axes }} Series points drawn alike */

const FADED = 0.35;
/** Of more points than this the intervals would hide each other: they are not drawn. */
const MOST_INTERVALS = 200;

/** @param {StudyResults} results @param {AbortSignal} signal @returns {Part} */
export function frontPanel(results, signal) {
  const [first, second] = results.study.spec.objectives;
  /** @type {Axes} */
  const axes = { y: first.metric, x: second?.metric ?? "latency_ms", host: null };
  /** @param {Partial<Axes>} chosen */
  const choose = (chosen) =>
    attempt(async () => {
      Object.assign(axes, chosen);
      if (!results.complete) await results.readPoints(axes);
      await update();
    });
  const metrics = [
    labelledSelect("Horizontal axis", METRIC_OPTIONS, axes.x, (x) => choose({ x })),
    labelledSelect("Vertical axis", METRIC_OPTIONS, axes.y, (y) => choose({ y })),
  ];
  const hostChoice = h("span", { class: "field" });
  let offered = 1;
  const plot = h("div", {});
  const note = h("p", { class: "muted" });
  const drawn = chart(plot, (colours) => frontChart(results, axes, colours), {
    signal,
    onClick: (id) => (location.hash = trialLink(id)),
  });

  /** A choice of hosts, once there are two. */
  function offerHosts() {
    const hosts = hostsOf(results);
    axes.host ??= hosts[0] ?? null;
    if (hosts.length <= offered) return;
    offered = hosts.length;
    /** @type {[string, string][]} */
    const options = hosts.map((host) => [host, host]);
    fill(hostChoice, labelledSelect("Measured on", options, axes.host, (host) => choose({ host })));
  }

  function update() {
    offerHosts();
    note.textContent = "Faded points are dominated: another point is at least as good in both metrics.";
    if (!results.complete) {
      note.textContent += ` The chart shows the trials that shape it, of ${count(results.total)}; the table has all.`;
    }
    return drawn.update();
  }

  return { element: panel("Pareto front", [hostChoice, metrics], plot, note), update };
}

/** @param {StudyResults} results @param {Axes} axes @param {Colours} colours @returns {Figure} */
function frontChart(results, axes, colours) {
  const { spec } = results.study;
  const goals = { x: goalOf(spec, axes.x), y: goalOf(spec, axes.y) };
  const points = pointsOf(results, axes, goals);
  const front = points.filter(({ isOnFront }) => isOnFront).toSorted((a, b) => a.x - b.x);
  const [trials, variants] = [points.filter(({ variant }) => !variant), points.filter(({ variant }) => variant)];
  /** @type {Series[]} */
  const series = [
    { name: "Trials", points: trials, marker: { symbol: "circle", size: 10, color: colours.accent }, axes },
    { name: "Variants", points: variants, marker: { symbol: "diamond", size: 7, color: colours.info }, axes },
  ];
  return {
    traces: [
      parentLines(trials, variants, colours),
      { ...line(front), name: "Front", line: { color: colours.accent, width: 2, shape: stepShape(goals.x) } },
      ...series.map(dominated),
      ...series.map(onFront),
      recommended(results, variants, colours),
      yardsticks(trials, colours),
    ],
    x: axisOf(axes.x, points.map(({ x }) => x)),
    y: axisOf(axes.y, points.map(({ y }) => y)),
    summary: summaryOf(points, front, axes),
  };
}

/**
 * The front is a staircase: between two of its points the worse value of the second metric is what can be had.
 *
 * @param {Goal} goal
 */
const stepShape = (goal) => (goal === "minimize" ? "hv" : "vh");

/** @param {{ x: number | null, y: number | null }[]} points @returns {Trace} */
function line(points) {
  return { mode: "lines", x: points.map(({ x }) => x), y: points.map(({ y }) => y), hoverinfo: "skip" };
}

/**
 * A line from each trial to the variants made from it.
 *
 * @param {Point[]} trials
 * @param {Point[]} variants
 * @param {Colours} colours
 */
function parentLines(trials, variants, colours) {
  const parents = new Map(trials.map((point) => [point.trial.id, point]));
  const gap = { x: null, y: null };
  const points = variants.flatMap((point) => {
    const parent = parents.get(point.trial.id);
    return parent ? [parent, point, gap] : [];
  });
  /** @type {Trace} */
  const trace = {
    ...line(points),
    name: "Made from",
    showlegend: false,
    line: { color: colours.muted, width: 1, dash: "dot" },
  };
  return trace;
}

/** @param {Series} series */
function onFront(series) {
  return markers({ ...series, points: series.points.filter(({ isOnFront }) => isOnFront) });
}

/** @param {Series} series */
function dominated(series) {
  const points = series.points.filter(({ isOnFront }) => !isOnFront);
  const trace = markers({ ...series, name: `${series.name}, dominated`, points });
  return { ...trace, opacity: FADED, showlegend: points.length === series.points.length };
}

/**
 * A star around the models to ship: each host and runtime has its own.
 *
 * @param {StudyResults} results
 * @param {Point[]} variants
 * @param {Colours} colours
 */
function recommended({ fronts }, variants, colours) {
  const picks = new Set(fronts.map((front) => front.recommended));
  const points = variants.filter(({ variant }) => variant && picks.has(variant.id));
  /** @type {Trace} */
  const trace = {
    name: "Recommended",
    mode: "markers",
    x: points.map(({ x }) => x),
    y: points.map(({ y }) => y),
    marker: { symbol: "star-open", size: 20, color: colours.warning, line: { width: 2 } },
    hoverinfo: "skip",
    showlegend: points.length > 0,
  };
  return trace;
}

/**
 * The names of the trials that the others are compared with.
 *
 * @param {Point[]} trials
 * @param {Colours} colours
 */
function yardsticks(trials, colours) {
  const points = trials.filter(({ trial }) => trial.role !== null);
  /** @type {Trace} */
  const trace = {
    name: "Yardsticks",
    mode: "text+markers",
    x: points.map(({ x }) => x),
    y: points.map(({ y }) => y),
    text: points.map(({ trial }) => (trial.role === null ? "" : ROLE_NAMES[trial.role])),
    textposition: "bottom center",
    marker: { symbol: "square-open", size: 14, color: colours.warning, line: { width: 2 } },
    hoverinfo: "skip",
    showlegend: points.length > 0,
  };
  return trace;
}

/** @param {Series} series @returns {Trace} */
function markers({ name, points, marker, axes }) {
  return {
    name,
    mode: "markers",
    x: points.map(({ x }) => x),
    y: points.map(({ y }) => y),
    error_x: interval(axes.x, points, marker),
    error_y: interval(axes.y, points, marker),
    marker,
    customdata: points.map(({ trial }) => trial.id),
    hovertext: points.map((point) => hoverText(point, axes)),
    hoverinfo: "text",
  };
}

/** @param {MetricName} metric @param {Point[]} points @param {Trace["marker"]} marker @returns {Trace["error_x"]} */
function interval(metric, points, marker) {
  if (metric !== "latency_ms" || points.length > MOST_INTERVALS) return { type: "data", array: [], visible: false };
  return {
    type: "data",
    symmetric: false,
    visible: true,
    array: points.map(({ metrics }) => (metrics.latency_high_ms ?? metrics.latency_ms) - metrics.latency_ms),
    arrayminus: points.map(({ metrics }) => metrics.latency_ms - (metrics.latency_low_ms ?? metrics.latency_ms)),
    color: typeof marker?.color === "string" ? marker.color : undefined,
    thickness: 1,
    width: 3,
  };
}

/** @param {Point} point @param {Axes} axes */
function hoverText({ trial, variant, metrics }, { x, y }) {
  const role = trial.role === null ? "" : ` (${ROLE_NAMES[trial.role]})`;
  const name = `Trial ${trial.number}${role}${variant ? `, ${variant.recipe}` : ""}`;
  return [name, ...[y, x].map((metric) => `${METRICS[metric].label} ${valueText(metric, metrics)}`)].join("\n");
}

/** @param {MetricName} metric @param {Metrics} metrics */
function valueText(metric, metrics) {
  return metric === "latency_ms" ? latencyWithInterval(metrics) : formatMetric(metric, metrics[metric]);
}

/** @param {Point[]} points @param {Point[]} front @param {Axes} axes */
function summaryOf(points, front, { x, y }) {
  if (front.length === 0) return "No trial is completed yet.";
  /** @param {MetricName} metric @param {number} value */
  const withName = (metric, value) => `${METRICS[metric].label} ${formatMetric(metric, value)}`;
  const ends = [front[0], front[front.length - 1]].map((end) => `${withName(y, end.y)} at ${withName(x, end.x)}`);
  return `Of ${points.length} models ${front.length} are on the front, from ${ends.join(" to ")}.`;
}
