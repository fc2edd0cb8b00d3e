// What the front chart shows: trials and variants as points in two metrics, and which of them are on the front.

import { METRICS, isBetter } from "../lib/metrics.js";

/**
 * The completed trials and the variants that have both metrics, as {trial, variant, x, y, front}.
 * `host` leaves out what was measured elsewhere: latencies of two hosts cannot be compared.
 */
export function pointsOf({ trials, variants }, x, y, goals, host) {
  const here = (item) => !host || !item.host || item.host === host;
  const found = [];
  const add = (trial, variant) => {
    const { metrics } = variant ?? trial;
    if (metrics[x] !== undefined && metrics[y] !== undefined && here(variant ?? trial)) {
      found.push({ trial, variant, metrics, x: metrics[x], y: metrics[y], front: false });
    }
  };
  for (const trial of trials.values()) if (trial.state === "COMPLETED") add(trial, null);
  for (const variant of variants) if (trials.has(variant.trial_id)) add(trials.get(variant.trial_id), variant);
  markFront(found, goals);
  return found;
}

/** Marks the points that no other is better than in one metric and at least as good in the other. */
function markFront(points, goals) {
  const loss = (goal, value) => (goal === "maximize" ? -value : value);
  const ordered = points.toSorted(
    (a, b) => loss(goals.x, a.x) - loss(goals.x, b.x) || loss(goals.y, a.y) - loss(goals.y, b.y),
  );
  let best = null;
  for (const point of ordered) {
    const equal = best !== null && point.x === best.x && point.y === best.y;
    point.front = equal || best === null || isBetter(goals.y, point.y, best.y);
    if (point.front) best = point;
  }
}

/** The direction that is better: the study's objective on this metric, else the usual one. */
export function goalOf(spec, metric) {
  return spec.objectives.find((objective) => objective.metric === metric)?.goal ?? METRICS[metric].goal;
}

/** The hosts that something was measured on, the most used first. */
export function hostsOf({ trials, variants }) {
  const counts = new Map();
  for (const { host } of [...trials.values(), ...variants]) if (host) counts.set(host, (counts.get(host) ?? 0) + 1);
  return [...counts.keys()].toSorted((a, b) => counts.get(b) - counts.get(a));
}
