// The front of any two metrics: trials and the variants made from them, what dominates joined, the rest faded.

import { chart } from "./plot.js";
import { attempt, fill, h, labelledSelect, panel } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { METRICS, METRIC_OPTIONS, axisOf, formatMetric, latencyWithInterval } from "../lib/metrics.js";
import { goalOf, hostsOf, pointsOf } from "./pareto-points.js";
import { trialLink } from "../lib/router.js";

const FADED = 0.35;
/** Of more points than this the intervals would hide each other: they are not drawn. */
const MOST_INTERVALS = 200;

/** The panel of the front chart of a StudyModel; `update()` draws it again. */
export function frontPanel(model, signal) {
  const { objectives } = model.study.spec;
  const chosen = { y: objectives[0].metric, x: (objectives[1] ?? { metric: "latency_ms" }).metric, host: null };
  const choose = (axis) => (metric) => {
    chosen[axis] = metric;
    return attempt(async () => {
      if (!model.complete) await model.readPoints(chosen);
      await update();
    });
  };
  const axes = [
    labelledSelect("Across", METRIC_OPTIONS, chosen.x, choose("x")),
    labelledSelect("Up", METRIC_OPTIONS, chosen.y, choose("y")),
  ];
  const hosts = h("span", { class: "field" });
  let offered = 1;
  const plot = h("div", {});
  const note = h("p", { class: "muted" });
  const drawn = chart(plot, (colours) => frontChart(model, chosen, colours), {
    signal,
    onClick: (id) => (location.hash = trialLink(id)),
  });

  function update() {
    const known = hostsOf(model);
    chosen.host ??= known[0] ?? null;
    if (known.length > offered) {
      offered = known.length;
      fill(
        hosts,
        labelledSelect(
          "Measured on",
          known.map((host) => [host, host]),
          chosen.host,
          choose("host"),
        ),
      );
    }
    const thinned = `Of ${count(model.total)} trials those are drawn that shape the picture; the table has all of them.`;
    note.textContent = `Faded points are dominated by another. ${model.complete ? "" : thinned}`;
    return drawn.update();
  }

  return { element: panel("Front", [hosts, axes], plot, note), update };
}

function frontChart(model, { x, y, host }, colours) {
  const { spec } = model.study;
  const goals = { x: goalOf(spec, x), y: goalOf(spec, y) };
  const points = pointsOf(model, x, y, goals, host);
  const front = points.filter((point) => point.front).toSorted((a, b) => a.x - b.x);
  const [trials, variants] = [points.filter(({ variant }) => !variant), points.filter(({ variant }) => variant)];
  const looks = [
    { name: "Trials", points: trials, marker: { symbol: "circle", size: 10, color: colours.accent } },
    { name: "Variants", points: variants, marker: { symbol: "diamond", size: 7, color: colours.info } },
  ];
  return {
    traces: [
      familyLines(trials, variants, colours),
      { ...line(front), name: "Front", line: { color: colours.accent, width: 2, shape: stepShape(goals.x) } },
      ...looks.map((look) => dominated(look, x, y)),
      ...looks.map((look) => onFront(look, x, y)),
      recommended(model, variants, colours),
    ],
    x: axisOf(
      x,
      points.map((point) => point.x),
    ),
    y: axisOf(
      y,
      points.map((point) => point.y),
    ),
    summary: summaryOf(points, front, x, y),
  };
}

/** The front is a staircase: between two of its points the worse value of the second metric is what can be had. */
const stepShape = (goal) => (goal === "minimize" ? "hv" : "vh");

function line(points) {
  return { mode: "lines", x: points.map(({ x }) => x), y: points.map(({ y }) => y), hoverinfo: "skip" };
}

function familyLines(trials, variants, colours) {
  const parents = new Map(trials.map((point) => [point.trial.id, point]));
  const gap = { x: null, y: null };
  const drawn = variants.filter(({ trial }) => parents.has(trial.id));
  const family = drawn.flatMap((point) => [parents.get(point.trial.id), point, gap]);
  return {
    ...line(family),
    name: "Made from",
    showlegend: false,
    line: { color: colours.muted, width: 1, dash: "dot" },
  };
}

function onFront({ points, ...look }, x, y) {
  return marks({ ...look, points: points.filter(({ front }) => front) }, x, y);
}

/** A star around the models to ship: each host and runtime has its own. */
function recommended({ fronts }, points, colours) {
  const picked = new Set(fronts.map((front) => front.recommended));
  const shown = points.filter(({ variant }) => picked.has(variant.id));
  return {
    name: "Recommended",
    mode: "markers",
    x: shown.map(({ x }) => x),
    y: shown.map(({ y }) => y),
    marker: { symbol: "star-open", size: 20, color: colours.warning, line: { width: 2 } },
    hoverinfo: "skip",
    showlegend: shown.length > 0,
  };
}

function dominated({ name, points, marker }, x, y) {
  const rest = points.filter(({ front }) => !front);
  const trace = marks({ name: `${name}, dominated`, points: rest, marker }, x, y);
  return { ...trace, opacity: FADED, showlegend: rest.length === points.length };
}

function marks({ name, points, marker }, x, y) {
  return {
    name,
    mode: "markers",
    x: points.map((point) => point.x),
    y: points.map((point) => point.y),
    error_x: interval(x, points, marker),
    error_y: interval(y, points, marker),
    marker,
    customdata: points.map(({ trial }) => trial.id),
    hovertext: points.map((point) => hoverText(point, x, y)),
    hoverinfo: "text",
  };
}

function interval(metric, points, { color }) {
  if (metric !== "latency_ms" || points.length > MOST_INTERVALS) return { visible: false };
  const low = ({ latency_low_ms, latency_ms }) => latency_low_ms ?? latency_ms;
  const high = ({ latency_high_ms, latency_ms }) => latency_high_ms ?? latency_ms;
  return {
    type: "data",
    symmetric: false,
    visible: true,
    array: points.map(({ metrics }) => high(metrics) - metrics.latency_ms),
    arrayminus: points.map(({ metrics }) => metrics.latency_ms - low(metrics)),
    color,
    thickness: 1,
    width: 3,
  };
}

function hoverText({ trial, variant, metrics }, x, y) {
  const name = variant ? `Trial ${trial.number}, ${variant.recipe}` : `Trial ${trial.number}`;
  return [name, ...[y, x].map((metric) => `${METRICS[metric].label} ${valueText(metric, metrics)}`)].join("<br>");
}

function valueText(metric, metrics) {
  return metric === "latency_ms" ? latencyWithInterval(metrics) : formatMetric(metric, metrics[metric]);
}

function summaryOf(points, front, x, y) {
  if (points.length === 0) return "No trial has been completed yet.";
  const named = (metric, value) => `${METRICS[metric].label} ${formatMetric(metric, value)}`;
  const ends = [front[0], front.at(-1)].map((point) => `${named(y, point.y)} at ${named(x, point.x)}`);
  return `Of ${points.length} models ${front.length} are on the front, from ${ends.join(" to ")}.`;
}
