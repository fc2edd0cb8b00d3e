// @ts-check
// One trial: what it tried, how it learned, what was measured, and the variants made from it.

import { scoresPanel } from "../charts/class-scores.js";
import { latenciesPanel } from "../charts/latencies.js";
import { learningPanel } from "../charts/learning-curve.js";
import { networkPanel } from "../charts/network-diagram.js";
import { get, post } from "../lib/api.js";
import { facts, panel } from "../lib/components.js";
import { ask } from "../lib/dialogs.js";
import { fill, h } from "../lib/dom.js";
import { ago, count } from "../lib/format.js";
import { METRICS, METRIC_NAMES, formatMetric, latencyWithInterval, testF1WithInterval } from "../lib/metrics.js";
import { attempt, notify } from "../lib/notices.js";
import { studyLink } from "../lib/router.js";
import { ServerList } from "../lib/server-list.js";
import { badge } from "../lib/states.js";
import { watch } from "../lib/study-events.js";
import { augmentationPanel, trainingPanel } from "../panels/candidate.js";
import { compressionPanel } from "../panels/compression.js";
import { readImportance } from "../panels/importance.js";
import { logButton } from "../panels/job-log.js";
import { predictionPanel } from "../panels/prediction.js";
import { trainingsPanel } from "../panels/trainings.js";
import { variantColumns } from "../panels/variants.js";

/** @import { StudyView, TrialDetail, TrialState } from "../types/api.d.ts" */
/** @import { Child } from "../types/dom.d.ts" */
/** @import { StudyEvent } from "../types/events.d.ts" */
/** @import { MetricName, Metrics } from "../lib/metrics.js" */
/** @import { View } from "../lib/router.js" */

/** @type {TrialState[]} */
const RETRYABLE = ["FAILED", "CANCELLED", "STOPPED"];

/** @type {View} */
export async function showTrial(root, id, signal) {
  const read = () => get(`/trials/${id}`, {}, { signal });
  let trial = await read();
  const readCurve = async () => (await get(`/studies/${trial.study_id}/curve`, {}, { signal })).epochs;
  const study = await get(`/studies/${trial.study_id}`, {}, { signal });
  const { items: recipes } = await get("/recipes", {}, { signal });
  const { operations } = await readImportance(study.id, "f1", signal);
  const uses = new Map(operations.map((use) => [use.name, use]));
  const head = h("section", { class: "panel", "aria-label": "Result" });
  const learning = learningPanel(signal);
  const scores = scoresPanel(study.classes ?? [], signal);
  const trainings = trainingsPanel(id, refresh);
  const prediction = predictionPanel();
  const latencies = latenciesPanel(signal);
  const compression = compressionPanel(id, recipes, refresh);
  const variants = variantList(id, signal);
  const { candidate, layers, artifacts } = trial;
  root.replaceChildren(
    head,
    learning.element,
    scores.element,
    trainings.element,
    trainingPanel(candidate),
    compression.element,
    panel("Variants", variants.controls(), variants.element),
    latencies.element,
    prediction.element,
    h("div", { class: "columns" }, networkPanel(candidate, layers), augmentationPanel(candidate, uses, artifacts)),
  );

  async function draw() {
    fill(head, headOf(trial, study));
    compression.update(trial);
    trainings.update(trial);
    await variants.refresh();
    prediction.update(variants.rows);
    attempt(() => Promise.all([latencies.update(variants.rows), scores.update(trial)]));
    attempt(async () => learning.update(trial.epochs, await readCurve()));
  }

  async function refresh() {
    trial = await read();
    await draw();
  }

  await draw();
  /** @param {StudyEvent} event */
  const concerns = ({ trial_id, kind }) => trial_id === id || kind === "test_scoring";
  /** @param {StudyEvent[]} events */
  const onEvents = (events) => events.some(concerns) && refresh();
  attempt(() => watch(trial.study_id, { onEvents, onConnection: () => {}, signal }));
  return `Trial ${trial.number} of ${study.name}`;
}

/** @param {string} trialId @param {AbortSignal} signal */
function variantList(trialId, signal) {
  return new ServerList({
    caption: "Variants of this trial",
    path: "/variants",
    parameters: { trial_id: trialId },
    columns: variantColumns({ ofOneTrial: true }),
    sort: "score",
    empty: "No variant yet.",
    signal,
  });
}

/** @param {TrialDetail} trial @param {StudyView} study @returns {Child[]} */
function headOf(trial, study) {
  const { number, state, reason, metrics, host, created_at, finished_at } = trial;
  const back = h("p", { class: "crumbs" }, h("a", { href: studyLink(study.id), "data-key": "back" }, study.name));
  const log = state === "FAILED" && logButton(study.id);
  return [
    back,
    h("div", { class: "page-head" }, h("h1", {}, `Trial ${number}`), badge(state), retryButton(trial, study), log),
    reason && h("pre", {}, reason),
    facts([
      ...METRIC_NAMES.map((name) => fact(METRICS[name].label, measuredText(name, metrics))),
      ["F1 on test images", trial.f1_test === null ? null : testF1WithInterval(trial)],
      ["Measured on", host],
      ["Started", ago(created_at)],
      ["Ended", finished_at && ago(finished_at)],
    ]),
  ];
}

/** @param {string} term @param {Child} value @returns {[term: string, value: Child]} */
const fact = (term, value) => [term, value];

/** @param {MetricName} name @param {Metrics} metrics */
function measuredText(name, metrics) {
  if (metrics[name] === undefined) return null;
  if (name === "latency_ms") return latencyWithInterval(metrics);
  return ["macs", "params"].includes(name) ? count(metrics[name]) : formatMetric(name, metrics[name]);
}

/** @param {TrialDetail} trial @param {StudyView} study */
function retryButton({ id, number, state }, study) {
  if (!RETRYABLE.includes(state) || study.state === "CANCELLED") return null;
  const question = {
    title: `Run trial ${number} again?`,
    text: `Its candidate runs as a new trial of ${study.name}, in addition to the budget.`,
    confirm: "Run again",
  };
  const click = () =>
    attempt(async () => {
      if ((await ask(question)) === null) return;
      await post(`/trials/${id}/retry`);
      notify(`The candidate is queued as a new trial of ${study.name}.`);
    });
  return h("button", { "data-key": "retry", on: { click } }, "Run again");
}
