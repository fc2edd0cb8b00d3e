// One study, live: progress, front, best so far, leaderboard, variants, specification.

import { studyActions } from "../panels/study-actions.js";
import { bestPanel, growthPanel } from "../charts/curves.js";
import { announce, attempt, facts, fill, h, labelledSelect, panel } from "../lib/dom.js";
import { ago, badge, count, duration, milliseconds, setting, share, shortReason } from "../lib/format.js";
import { frontPanel } from "../charts/pareto-front.js";
import { importancePanel } from "../panels/importance.js";
import { listing } from "../lib/paged-table.js";
import { watch } from "../lib/study-events.js";
import { logButton } from "../panels/job-log.js";
import { METRICS, formatMetric } from "../lib/metrics.js";
import { StudyModel } from "../lib/study-results.js";
import { trialLink } from "../lib/router.js";
import { parallelPanel } from "../charts/parallel-coordinates.js";
import { pace, progressBar, stateOptions } from "./studies.js";
import { table } from "../lib/table.js";
import { tryPanel } from "../panels/prediction.js";
import { metricColumn, variantColumns } from "../panels/variants.js";
import { whereField } from "../panels/metric-filter.js";
import { winnerPanel } from "../panels/recommendation.js";

const TRIAL_STATES = ["RUNNING", "COMPLETED", "STOPPED", "INFEASIBLE", "FAILED", "CANCELLED"];
const ANNOUNCE_EVERY_MS = 15_000;

export async function showStudy(root, id, signal) {
  const model = new StudyModel(id, signal);
  await model.readStudy();
  const summary = summaryPanel(model, signal);
  const winner = winnerPanel(model);
  const trying = tryPanel();
  const picked = { update: () => trying.update(winner.models()) };
  const front = frontPanel(model, signal);
  const best = bestPanel(model, signal);
  const growth = growthPanel(model, signal);
  const parallel = parallelPanel(model, signal);
  const leaderboard = leaderboardPanel(id, signal);
  const variants = variantsPanel(model, signal);
  const importance = importancePanel(id, signal);
  const parts = [summary, winner, front, best, growth, parallel, importance, leaderboard, variants, trying].map(({ element }) => element);
  root.replaceChildren(...parts, specification(model.study));

  const refresh = (parts) => Promise.all(parts.map((part) => part.update()));
  await refresh([summary, leaderboard]);

  async function onEvents(events) {
    const news = await model.apply(events);
    const models = news.has("variant") ? [winner, picked, variants] : [];
    const results = news.has("trial") || news.has("variant") ? [front, best, leaderboard] : [];
    await refresh([summary, ...results, ...models]);
  }
  attempt(async () => {
    await model.readResults();
    await refresh([summary, winner, picked, front, best, growth, variants]);
    attempt(async () => parallel.load(await importance.load()));
    await watch(id, { onEvents, onConnection: summary.connected, signal });
  });
  return model.study.name;
}

function summaryPanel(model, signal) {
  const head = h("div", { class: "page-head" });
  const state = h("div", {});
  const link = h("span", { class: "link" }, "connecting");
  const skipped = skippedImages();
  const element = h("section", { class: "panel", "aria-label": "Progress" }, head, state, skipped.element);
  const say = seldom(announce, ANNOUNCE_EVERY_MS, signal);

  function update() {
    const { study } = model;
    const log = study.job && logButton(study.id);
    fill(head, h("h1", {}, study.name), badge(study.state), link, studyActions(study, changed), log);
    fill(
      state,
      progressBar(study),
      study.reason && h("pre", {}, study.reason),
      running(model),
      facts(summaryFacts(model)),
    );
    skipped.update(study);
    const { finished, total, best_f1 } = study.progress;
    say(`${finished} of ${total} trials finished${best_f1 === null ? "" : `, best F1 ${share(best_f1)}`}`);
  }

  function changed(study) {
    model.study = study;
    update();
  }

  function connected(yes) {
    link.textContent = yes ? "live" : "reconnecting";
    link.classList.toggle("on", yes);
  }

  return { element, update, connected };
}

function summaryFacts({ study }) {
  const { compression } = study.progress;
  const jobs = Object.values(compression).reduce((sum, number) => sum + number, 0);
  return [
    ["Best F1", share(study.progress.best_f1)],
    ["Fastest trial", study.progress.least_latency_ms && milliseconds(study.progress.least_latency_ms)],
    ["Pace", pace(study)],
    ["Compressed", jobs ? `${compression.COMPLETED ?? 0} of ${jobs}` : null],
    ["Compression failed", compression.FAILED],
    ["Time of search", duration(study.search_elapsed_s)],
    ["Created", ago(study.created_at)],
    ["Classes", study.classes?.length],
    ["Ray job", study.job],
  ];
}

/** What the running trials are at. */
function running({ study, trials, epochs }) {
  const now = [...trials.values()].filter(({ state }) => state === "RUNNING");
  const { epochs: total } = study.spec.budget;
  const words = (epoch) => (epoch ? ` epoch ${epoch.epoch} of ${total}, F1 ${share(epoch.f1)}` : " starting");
  const link = ({ id, number }) => h("a", { href: trialLink(id), "data-key": id }, `Trial ${number}`);
  const items = now.map((trial) => h("li", {}, link(trial), words(epochs.get(trial.id))));
  return items.length > 0 && h("ul", { class: "running-trials", "aria-label": "Running trials" }, items);
}

/** The images that could not be used, known once the search has started; stays open while the rest is redrawn. */
function skippedImages() {
  const element = h("details", { hidden: true });
  let shown = 0;
  function update({ skipped }) {
    if (!skipped || skipped.length === shown) return;
    shown = skipped.length;
    element.hidden = false;
    const lines = skipped.map(({ name, reason }) => `${name}: ${reason}`).join("\n");
    fill(element, h("summary", {}, `${count(shown)} images could not be used`), h("pre", {}, lines));
  }
  return { element, update };
}

function leaderboardPanel(id, signal) {
  const columns = [
    { key: "number", label: "Trial", sort: "number", numeric: true, cell: trialCell },
    ...Object.keys(METRICS).map((name) => metricColumn(name, { extra: ["accuracy", "latency_p90_ms"].includes(name) })),
    { key: "state", label: "State", cell: stateCell },
    { key: "best", label: "Best variant", cell: bestVariantCell },
  ];
  const rows = listing({
    caption: "Leaderboard: one row a trial",
    path: "/trials",
    parameters: { study_id: id },
    columns,
    sort: "score",
    empty: "No trial yet.",
    compare: comparison,
    nameOf: ({ number }) => `trial ${number}`,
    signal,
  });
  const state = labelledSelect("State", stateOptions(TRIAL_STATES), "", (chosen) => rows.filter({ state: chosen }));
  const where = whereField((chosen) => rows.filter({ where: chosen }));
  return { element: panel("Leaderboard", [state, where, rows.controls], rows.element), update: rows.refresh };
}

/** Up to four trials side by side: what was measured, and what they tried. */
function comparison(trials) {
  const measures = Object.keys(METRICS).map((name) => [METRICS[name].label, (trial) => formatMetric(name, trial.metrics[name])]);
  const settings = ["image_size", "batch_size", "learning_rate", "optimizer", "schedule", "loss"].map((name) => [
    name.replaceAll("_", " "),
    ({ candidate }) => (typeof candidate[name] === "number" ? setting(candidate[name]) : candidate[name]),
  ]);
  const layers = ["layers", ({ candidate }) => layersText(candidate.architecture)];
  const augmentation = ["augmentation", ({ candidate }) => candidate.augmentation.operations.map(({ name }) => name).join(", ") || "none"];
  const columns = [
    { label: "", cell: ([label]) => label },
    ...trials.map((trial) => ({ label: `Trial ${trial.number}`, cell: ([, text]) => text(trial) })),
  ];
  const rows = [...measures, ...settings, layers, augmentation];
  return table({ caption: "Comparison of the chosen trials", columns, rows });
}

function layersText({ backbone }) {
  return h(
    "ol",
    { class: "layers" },
    backbone.map(([repeat, block, values]) => h("li", {}, `${repeat > 1 ? `${repeat} × ` : ""}${block} ${values.join(" ")}`)),
  );
}

function trialCell({ id, number }) {
  return h("a", { href: trialLink(id), "data-key": `row-${id}`, "aria-label": `Trial #${number}` }, `#${number}`);
}

function stateCell({ state, reason }) {
  return [badge(state), reason && h("span", { class: "reason", title: reason }, shortReason(reason))];
}

function bestVariantCell({ best_variant }) {
  if (best_variant === null) return null;
  const { recipe, metrics } = best_variant;
  const words = `${recipe}: F1 ${share(metrics.f1)}, ${formatMetric("latency_ms", metrics.latency_ms)}`;
  return h("span", { class: "best" }, words);
}

function variantsPanel(model, signal) {
  const rows = listing({
    caption: "Variants: deployable models",
    path: "/variants",
    parameters: { study_id: model.study.id },
    columns: variantColumns(),
    sort: "score",
    empty: "No model has been compressed yet: that follows the search.",
    signal,
  });
  return { element: panel("Variants", rows.controls, rows.element), update: rows.refresh };
}

function specification({ spec }) {
  const text = h("pre", {}, JSON.stringify(spec, null, 2));
  return h("section", { class: "panel" }, h("details", {}, h("summary", {}, h("h2", {}, "Specification")), text));
}

/** A function that passes on the latest text, if it is new, once in `period_ms` at most. */
function seldom(call, period_ms, signal) {
  let said = null;
  let latest = null;
  let timer = null;
  const say = () => {
    timer = null;
    if (latest === said) return;
    said = latest;
    call(said);
    timer = setTimeout(say, period_ms);
  };
  signal.addEventListener("abort", () => clearTimeout(timer));
  return (text) => {
    latest = text;
    if (timer === null) say();
  };
}
