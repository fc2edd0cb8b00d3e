// @ts-check
// How far a study is, and how fast it goes on.

import { h } from "../lib/dom.js";
import { count, duration, measured } from "../lib/format.js";

/** @import { StudyView } from "../types/api.d.ts" */

/** How many trials have finished, as a bar and in words. @param {StudyView} study */
export function progressBar({ name, progress: { finished, total } }) {
  const bar = h("progress", { value: Math.min(finished, total), max: total, "aria-label": `Trials of ${name}` });
  return h("span", { class: "progress" }, bar, ` ${count(finished)} of ${count(total)}`);
}

/**
 * How fast trials finish, and how long the search will still take at that; null before the first has.
 *
 * @param {StudyView} study
 */
export function pace({ state, phase, spec, search_elapsed_s, progress: { finished, total } }) {
  if (!finished || !search_elapsed_s) return null;
  const rate = `${measured((3600 * finished) / search_elapsed_s)} trials per hour`;
  if (state !== "RUNNING" || phase !== "SEARCH") return rate;
  const byTrials_s = (Math.max(total - finished, 0) * search_elapsed_s) / finished;
  const byTime_s = 60 * (spec.budget.max_minutes ?? Infinity) - search_elapsed_s;
  return `${rate}, ${duration(Math.max(Math.min(byTrials_s, byTime_s), 0))} left`;
}
