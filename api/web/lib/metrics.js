// The metrics: how each is called, which direction is better, and how it is written.

import { bytes, compact, measured, milliseconds, share } from "./format.js";

export const METRICS = {
  f1: { label: "F1", title: "F1 (macro)", goal: "maximize", format: share },
  accuracy: { label: "Accuracy", title: "Accuracy", goal: "maximize", format: share },
  latency_ms: { label: "Latency", title: "Latency (ms, median, batch 1)", goal: "minimize", format: milliseconds },
  latency_p90_ms: {
    label: "Latency p90",
    title: "Latency (ms, 90th percentile)",
    goal: "minimize",
    format: milliseconds,
  },
  macs: { label: "MACs", title: "Multiply-accumulates an image", goal: "minimize", format: compact },
  params: { label: "Parameters", title: "Parameters", goal: "minimize", format: compact },
  size_bytes: { label: "Size", title: "Size of the file (bytes)", goal: "minimize", format: bytes },
  score: { label: "Score", title: "Score (lower is better)", goal: "minimize", format: measured },
};

export const METRIC_OPTIONS = Object.entries(METRICS).map(([name, { label }]) => [name, label]);

export const isBetter = (goal, value, other) => (goal === "maximize" ? value > other : value < other);

/** The order in which the best of a metric comes first. */
export const bestFirst = (name) => (METRICS[name]?.goal === "maximize" ? "desc" : "asc");

export const formatMetric = (name, value) => METRICS[name].format(value);

/** A metric's axis in a chart: what gets smaller by powers of ten is logarithmic, with ticks at 1, 2 and 5. */
export function axisOf(name, values) {
  const { title, goal } = METRICS[name];
  const least = Math.min(...values);
  const wide = goal === "minimize" && least > 0 && Math.max(...values) / least > 10;
  return wide ? { title, type: "log", dtick: "D2", tickformat: least < 1000 ? "~r" : "~s" } : { title, type: "linear" };
}

/** The latency with the interval that its median lies in. */
export function latencyWithInterval(metrics) {
  const { latency_ms: median, latency_low_ms: low, latency_high_ms: high } = metrics;
  if (median === undefined || low === undefined) return milliseconds(median);
  return `${milliseconds(median)} (${measured(low)} to ${measured(high)})`;
}
