// @ts-check
// The metrics: how each is called, which direction is better, and how it is written.

import { bytes, compact, fraction, measured, milliseconds } from "./format.js";

/** @import { Goal, Objective, StudySpecOutput, VariantView } from "../types/api.d.ts" */
/** @import { Format } from "./format.js" */

/** @typedef {Objective["metric"]} MetricName */
/** @typedef {Record<string, number>} Metrics measured values by the metric's name; without those not measured yet */

/** @type {Record<MetricName, { label: string, title: string, goal: Goal, format: Format }>} */
export const METRICS = {
  f1: { label: "F1", title: "F1 (macro)", goal: "maximize", format: fraction },
  accuracy: { label: "Accuracy", title: "Accuracy", goal: "maximize", format: fraction },
  latency_ms: { label: "Latency", title: "Latency (ms, median, batch 1)", goal: "minimize", format: milliseconds },
  latency_p90_ms: {
    label: "Latency p90",
    title: "Latency (ms, 90th percentile, batch 1)",
    goal: "minimize",
    format: milliseconds,
  },
  macs: { label: "MACs", title: "Multiply-accumulates per image", goal: "minimize", format: compact },
  params: { label: "Parameters", title: "Parameters", goal: "minimize", format: compact },
  size_bytes: { label: "Size", title: "File size (bytes)", goal: "minimize", format: bytes },
  memory_bytes: { label: "Memory", title: "Memory for one image (bytes)", goal: "minimize", format: bytes },
  score: { label: "Score", title: "Score (lower is better)", goal: "minimize", format: measured },
};

export const METRIC_NAMES = /** @type {MetricName[]} */ (Object.keys(METRICS));

/** The options of a drop-down of metrics. @type {[value: MetricName, text: string][]} */
export const METRIC_OPTIONS = METRIC_NAMES.map((name) => [name, METRICS[name].label]);

/** @param {string} name @returns {name is MetricName} */
export const isMetric = (name) => name in METRICS;

/** @param {Goal} goal @param {number} value @param {number} other */
export const isBetter = (goal, value, other) => (goal === "maximize" ? value > other : value < other);

/** The order in which the best of a metric comes first. @param {string} name @returns {"asc" | "desc"} */
export const bestFirst = (name) => (isMetric(name) && METRICS[name].goal === "maximize" ? "desc" : "asc");

/** @param {MetricName} name @param {number | null | undefined} value */
export const formatMetric = (name, value) => METRICS[name].format(value);

/**
 * The direction that is better: that of the study's objective on this metric, else the usual one.
 *
 * @param {StudySpecOutput} spec
 * @param {MetricName} metric
 */
export function goalOf(spec, metric) {
  return spec.objectives.find((objective) => objective.metric === metric)?.goal ?? METRICS[metric].goal;
}

/**
 * A metric's axis in a chart: what gets smaller by powers of ten is logarithmic, with ticks at 1, 2 and 5.
 *
 * @param {MetricName} name
 * @param {number[]} values
 */
export function axisOf(name, values) {
  const { title, goal } = METRICS[name];
  const least = Math.min(...values);
  const wide = goal === "minimize" && least > 0 && Math.max(...values) / least > 10;
  return wide
    ? { title, type: /** @type {const} */ ("log"), dtick: "D2", tickformat: least < 1000 ? "~r" : "~s" }
    : { title, type: /** @type {const} */ ("linear") };
}

/**
 * F1 on the test split with its interval; a dash for a model that was not scored there.
 *
 * @param {Pick<VariantView, "f1_test" | "f1_test_low" | "f1_test_high">} model
 */
export function testF1WithInterval({ f1_test: f1, f1_test_low: low, f1_test_high: high }) {
  return f1 === null ? fraction(f1) : `${fraction(f1)} (${fraction(low)} to ${fraction(high)})`;
}

/**
 * The latency with the interval that its median lies in.
 *
 * @param {Metrics} metrics
 */
export function latencyWithInterval(metrics) {
  const { latency_ms: median, latency_low_ms: low, latency_high_ms: high } = metrics;
  if (median === undefined || low === undefined) return milliseconds(median);
  return `${milliseconds(median)} (${measured(low)} to ${measured(high)})`;
}
