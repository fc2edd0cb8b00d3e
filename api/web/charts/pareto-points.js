// @ts-check
// Trials and variants as points in two metrics, and which of them are on the Pareto front.

import { isBetter } from "../lib/metrics.js";

/** @import { Goal, VariantView } from "../types/api.d.ts" */
/** @import { MetricName, Metrics } from "../lib/metrics.js" */
/** @import { StudyResults, Trial } from "../lib/study-results.js" */

/**
 * A trial, or a variant made from it, in the metrics x and y.
 *
 * @typedef {object} Point
 * @property {Trial} trial
 * @property {VariantView | null} variant null for the trial itself
 * @property {Metrics} metrics of the variant, or else of the trial
 * @property {number} x
 * @property {number} y
 * @property {boolean} isOnFront
 */

/**
 * The completed trials and the variants that have both metrics. `host` leaves out what was measured elsewhere:
 * latencies of two hosts cannot be compared.
 *
 * @param {StudyResults} results
 * @param {{ x: MetricName, y: MetricName, host: string | null }} axes
 * @param {{ x: Goal, y: Goal }} goals
 */
export function pointsOf({ trials, variants }, { x, y, host }, goals) {
  /** @type {Point[]} */
  const points = [];
  /** @param {Trial} trial @param {VariantView | null} variant */
  const add = (trial, variant) => {
    const item = variant ?? trial;
    const { metrics } = item;
    const isMeasured = metrics[x] !== undefined && metrics[y] !== undefined;
    if (isMeasured && (!host || !item.host || item.host === host)) {
      points.push({ trial, variant, metrics, x: metrics[x], y: metrics[y], isOnFront: false });
    }
  };
  for (const trial of trials.values()) if (trial.state === "COMPLETED") add(trial, null);
  for (const variant of variants) {
    const trial = trials.get(variant.trial_id);
    if (trial) add(trial, variant);
  }
  markFront(points, goals);
  return points;
}

/**
 * Marks the points that no other is better than in one metric and at least as good in the other.
 *
 * @param {Point[]} points
 * @param {{ x: Goal, y: Goal }} goals
 */
function markFront(points, goals) {
  /** @param {Goal} goal @param {number} value */
  const loss = (goal, value) => (goal === "maximize" ? -value : value);
  const ordered = points.toSorted(
    (a, b) => loss(goals.x, a.x) - loss(goals.x, b.x) || loss(goals.y, a.y) - loss(goals.y, b.y),
  );
  /** @type {Point | null} */
  let best = null;
  for (const point of ordered) {
    const isEqual = best !== null && point.x === best.x && point.y === best.y;
    point.isOnFront = isEqual || best === null || isBetter(goals.y, point.y, best.y);
    if (point.isOnFront) best = point;
  }
}

/** The hosts that something was measured on, the most used first. @param {StudyResults} results */
export function hostsOf({ trials, variants }) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { host } of [...trials.values(), ...variants]) if (host) counts.set(host, (counts.get(host) ?? 0) + 1);
  return [...counts].toSorted(([, a], [, b]) => b - a).map(([host]) => host);
}
