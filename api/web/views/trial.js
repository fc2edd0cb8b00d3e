// One trial: what it tried, how it learned, what it measured, what was made of it.

import { get, post } from "../lib/api.js";
import { augmentationPanel, settings } from "../panels/candidate.js";
import { learningPanel } from "../charts/curves.js";
import { ask } from "../lib/dialogs.js";
import { attempt, facts, fill, h, labelledSelect, notify, panel } from "../lib/dom.js";
import { ago, badge, count, shortReason } from "../lib/format.js";
import { readImportance } from "../panels/importance.js";
import { latenciesPanel } from "../charts/latencies.js";
import { listing } from "../lib/paged-table.js";
import { logButton } from "../panels/job-log.js";
import { watch } from "../lib/study-events.js";
import { METRICS, formatMetric, latencyWithInterval } from "../lib/metrics.js";
import { networkPanel } from "../charts/network-diagram.js";
import { studyLink } from "../lib/router.js";
import { scoresPanel } from "../charts/class-scores.js";
import { table } from "../lib/table.js";
import { trainingsPanel } from "../panels/trainings.js";
import { tryPanel } from "../panels/prediction.js";
import { variantColumns } from "../panels/variants.js";

const RETRYABLE = ["FAILED", "CANCELLED", "STOPPED"];

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
  const scores = scoresPanel(study.classes, signal);
  const trainings = trainingsPanel(id, refresh);
  const trying = tryPanel();
  const latencies = latenciesPanel(signal);
  const jobs = compressionPanel(id, recipes, refresh);
  const variants = listing({
    caption: "Variants of this trial",
    path: "/variants",
    parameters: { trial_id: id },
    columns: variantColumns({ ofOneTrial: true }),
    sort: "score",
    empty: "No variant yet.",
    signal,
  });
  const { candidate } = trial;
  const training = panel("Training", null, settings(candidate));
  root.replaceChildren(
    head,
    learning.element,
    scores.element,
    trainings.element,
    training,
    jobs.element,
    panel("Variants", variants.controls, variants.element),
    latencies.element,
    trying.element,
    h("div", { class: "columns" }, networkPanel(candidate, trial.layers), augmentationPanel(candidate, uses, trial.artifacts)),
  );

  async function draw() {
    fill(head, headOf(trial, study));
    jobs.update(trial);
    trainings.update(trial);
    await variants.refresh();
    trying.update(variants.rows());
    attempt(() => Promise.all([latencies.update(variants.rows()), scores.update(trial)]));
    attempt(async () => learning.update(trial.epochs, await readCurve()));
  }

  async function refresh() {
    trial = await read();
    await draw();
  }

  await draw();
  const onEvents = (events) => events.some(({ trial_id }) => trial_id === id) && refresh();
  attempt(() => watch(trial.study_id, { onEvents, onConnection: () => {}, signal }));
  return `Trial ${trial.number} of ${study.name}`;
}

function headOf(trial, study) {
  const { number, state, reason, metrics, host, created_at, finished_at } = trial;
  const back = h("p", { class: "crumbs" }, h("a", { href: studyLink(study.id), "data-key": "back" }, study.name));
  const measured = Object.keys(METRICS).map((name) => [METRICS[name].label, measuredText(name, metrics)]);
  return [
    back,
    h("div", { class: "page-head" }, h("h1", {}, `Trial ${number}`), badge(state), retryButton(trial, study), state === "FAILED" && logButton(study.id)),
    reason && h("pre", {}, reason),
    facts([
      ...measured,
      ["Measured on", host],
      ["Started", ago(created_at)],
      ["Ended", finished_at && ago(finished_at)],
    ]),
  ];
}

function measuredText(name, metrics) {
  if (metrics[name] === undefined) return null;
  if (name === "latency_ms") return latencyWithInterval(metrics);
  return ["macs", "params"].includes(name) ? count(metrics[name]) : formatMetric(name, metrics[name]);
}

function retryButton({ id, number, state }, study) {
  if (!RETRYABLE.includes(state) || study.state === "CANCELLED") return null;
  const question = {
    title: `Run trial ${number} again?`,
    text: `Its candidate runs as a new trial of ${study.name}, beyond the budget.`,
    confirm: "Run again",
  };
  const click = () =>
    attempt(async () => {
      if ((await ask(question)) === null) return;
      await post(`/trials/${id}/retry`);
      notify(`It is queued as a new trial of ${study.name}.`);
    });
  return h("button", { "data-key": "retry", on: { click } }, "Run again");
}

/** The compression jobs of a trial, and a new one of a chosen recipe. */
function compressionPanel(id, recipes, refresh) {
  let recipe = recipes[0].name;
  const choice = labelledSelect(
    "Recipe",
    recipes.map(({ name, description }) => [name, `${name}: ${description}`]),
    recipe,
    (name) => (recipe = name),
  );
  const compress = () =>
    attempt(async () => {
      const { state } = await post(`/trials/${id}/compress`, { recipe });
      notify(`The recipe ${recipe} is ${state.toLowerCase()} for this trial.`);
      await refresh();
    });
  const controls = h("span", { class: "controls" }, choice, h("button", { on: { click: compress } }, "Compress"));
  const content = h("div", {});
  return {
    element: panel("Compression", controls, content),
    update({ state, compression }) {
      controls.hidden = state !== "COMPLETED";
      const none =
        state === "COMPLETED" ? "No recipe has been tried yet." : "Only completed trials have weights to compress.";
      fill(content, compression.length ? jobsTable(compression) : h("p", { class: "empty" }, none));
    },
  };
}

function jobsTable(jobs) {
  const columns = [
    { label: "Recipe", cell: ({ recipe }) => recipe.name },
    { label: "State", cell: ({ state }) => badge(state) },
    { label: "Steps", cell: ({ recipe: { steps } }) => steps.map(stepText).join("; ") || "as it was trained" },
    { label: "Ended", cell: ({ finished_at }) => ago(finished_at) },
    { label: "Reason", cell: reasonCell },
  ];
  return table({ caption: "Compression jobs of this trial", columns, rows: jobs });
}

function stepText({ technique, ...options }) {
  const given = Object.entries(options).filter(([, value]) => value != null);
  const values = given.map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`);
  return [technique.replaceAll("_", " "), values.length && `(${values.join(", ")})`].filter(Boolean).join(" ");
}

function reasonCell({ reason }) {
  if (!reason) return null;
  if (reason === shortReason(reason)) return reason;
  return h("details", {}, h("summary", {}, shortReason(reason)), h("pre", {}, reason));
}
