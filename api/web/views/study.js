// @ts-check
// One study, live: progress, model to ship, charts, leaderboard, variants, specification.

import { bestPanel } from "../charts/best-so-far.js";
import { hypervolumePanel } from "../charts/hypervolume.js";
import { parallelPanel } from "../charts/parallel-coordinates.js";
import { frontPanel } from "../charts/pareto-front.js";
import { panel } from "../lib/components.js";
import { h } from "../lib/dom.js";
import { attempt } from "../lib/notices.js";
import { keepFresh } from "../lib/polling.js";
import { ServerList } from "../lib/server-list.js";
import { watch } from "../lib/study-events.js";
import { StudyResults } from "../lib/study-results.js";
import { importancePanel } from "../panels/importance.js";
import { leaderboardPanel } from "../panels/leaderboard.js";
import { predictionPanel } from "../panels/prediction.js";
import { recommendationPanel } from "../panels/recommendation.js";
import { summaryPanel } from "../panels/study-summary.js";
import { variantColumns } from "../panels/variants.js";
import { yardsticksPanel } from "../panels/yardsticks.js";

/** @import { StudyView } from "../types/api.d.ts" */
/** @import { Part } from "../types/dom.d.ts" */
/** @import { StudyEvent } from "../types/events.d.ts" */
/** @import { View } from "../lib/router.js" */

/** The studies before this one in the queue have their own events. */
const QUEUE_REFRESH_MS = 5000;

/** @type {View} */
export async function showStudy(root, id, signal) {
  const results = await StudyResults.of(id, signal);
  const summary = summaryPanel(results, signal);
  const recommendation = recommendationPanel(results);
  const yardsticks = yardsticksPanel(results);
  const prediction = predictionPanel();
  const models = { update: () => prediction.update(recommendation.models()) };
  const front = frontPanel(results, signal);
  const best = bestPanel(results, signal);
  const hypervolume = hypervolumePanel(results, signal);
  const parallel = parallelPanel(results, signal);
  const leaderboard = leaderboardPanel(id, signal);
  const variants = variantsPanel(id, signal);
  const importance = importancePanel(id, signal);
  const charts = [front, best, hypervolume, parallel, importance];
  const parts = [summary, recommendation, yardsticks, ...charts, leaderboard, variants, prediction];
  root.replaceChildren(...parts.map(({ element }) => element), specification(results.study));

  /** @param {Pick<Part, "update">[]} changed */
  const update = (changed) => Promise.all(changed.map((part) => part.update()));
  await update([summary, leaderboard]);

  /** @param {StudyEvent[]} events */
  async function onEvents(events) {
    const news = await results.apply(events);
    const scored = news.has("variant") || news.has("test_scoring");
    const ofVariants = scored ? [recommendation, models, variants] : [];
    const ofTrials = scored || news.has("trial") ? [yardsticks, front, best, leaderboard] : [];
    await update([summary, ...ofTrials, ...ofVariants]);
  }
  attempt(async () => {
    await results.readResults();
    await update([summary, recommendation, yardsticks, models, front, best, hypervolume, variants]);
    attempt(async () => parallel.load(await importance.load()));
    const isDue = () => results.study.queue_position != null;
    const readPlace = () => results.readStudy().then(() => update([summary]));
    attempt(() => keepFresh(readPlace, { period_ms: QUEUE_REFRESH_MS, signal, isDue }));
    await watch(id, { onEvents, onConnection: summary.connected, signal });
  });
  return results.study.name;
}

/** @param {string} studyId @param {AbortSignal} signal @returns {Part} */
function variantsPanel(studyId, signal) {
  const list = new ServerList({
    caption: "Variants: deployable models",
    path: "/variants",
    parameters: { study_id: studyId },
    columns: variantColumns(),
    sort: "score",
    empty: "No model has been compressed yet. Compression follows the search.",
    signal,
  });
  return { element: panel("Variants", list.controls(), list.element), update: () => list.refresh() };
}

/** @param {StudyView} study */
function specification({ spec }) {
  const text = h("pre", {}, JSON.stringify(spec, null, 2));
  return h("section", { class: "panel" }, h("details", {}, h("summary", {}, h("h2", {}, "Specification")), text));
}
