// @ts-check
// The head of a study's page: its state, its progress, its running trials, and what can be done with it.

import { facts } from "../lib/components.js";
import { fill, h } from "../lib/dom.js";
import { ago, count, duration, fraction, milliseconds, shortReason } from "../lib/format.js";
import { announce } from "../lib/notices.js";
import { trialLink } from "../lib/router.js";
import { badge, queuePlace } from "../lib/states.js";
import { logButton } from "./job-log.js";
import { pace, progressBar } from "./progress.js";
import { studyActions } from "./study-actions.js";

/** @import { StudyView } from "../types/api.d.ts" */
/** @import { EpochEnded } from "../types/events.d.ts" */
/** @import { StudyResults } from "../lib/study-results.js" */

const ANNOUNCE_EVERY_MS = 15_000;

/**
 * `update()` draws the panel again, `connected(yes)` says whether the page hears of changes.
 *
 * @param {StudyResults} results
 * @param {AbortSignal} signal
 */
export function summaryPanel(results, signal) {
  const head = h("div", { class: "page-head" });
  const state = h("div", {});
  const link = h("span", { class: "link" }, "connecting");
  const skipped = skippedImages();
  const element = h("section", { class: "panel", "aria-label": "Progress" }, head, state, skipped.element);
  const say = throttled(announce, ANNOUNCE_EVERY_MS, signal);

  function update() {
    const { study } = results;
    const log = study.job && logButton(study.id);
    fill(head, h("h1", {}, study.name), badge(study.state), link, studyActions(study, changed, leave), log);
    const reason = study.reason && h("pre", {}, study.reason);
    fill(state, progressBar(study), queuePlace(study), reason, runningTrials(results), facts(factsOf(results)));
    skipped.update(study);
    const { finished, total, best_f1 } = study.progress;
    say(`${finished} of ${total} trials finished${best_f1 === null ? "" : `, best F1 ${fraction(best_f1)}`}`);
  }

  /** @param {StudyView} study */
  function changed(study) {
    results.study = study;
    update();
  }

  function leave() {
    location.hash = "#/studies";
  }

  /** @param {boolean} yes */
  function connected(yes) {
    link.textContent = yes ? "live" : "reconnecting";
    link.classList.toggle("on", yes);
  }

  return { element, update, connected };
}

/** @param {StudyResults} results @returns {Parameters<typeof facts>[0]} */
function factsOf(results) {
  const { study } = results;
  const { best_f1, least_latency_ms, compression } = study.progress;
  const jobs = Object.values(compression).reduce((sum, number) => sum + number, 0);
  return [
    ["Best F1", fraction(best_f1)],
    ["Fastest trial", least_latency_ms && milliseconds(least_latency_ms)],
    ["Pace", pace(study)],
    ["Compressed", jobs ? `${compression.COMPLETED ?? 0} of ${jobs}` : null],
    ["Compression failed", compression.FAILED],
    ["Test images", testText(study)],
    ["Pretrained weights", weightsText(study)],
    ["Taught by", teacher(results)],
    ["Search time", duration(study.search_elapsed_s)],
    ["Created", ago(study.created_at)],
    ["Created by", keyText(study.created_by)],
    ["Changed by", keyText(study.changed_by)],
    ["Cancelled by", keyText(study.cancelled_by)],
    ["Classes", study.classes?.length],
    ["Ray job", study.job],
  ];
}

/** The name of a key. @param {StudyView["created_by"]} key */
const keyText = (key) => key?.name ?? null;

/** The trial whose answers later ones learn from. @param {StudyResults} results */
function teacher({ study, trials }) {
  const id = study.teacher_trial_id;
  return id && h("a", { href: trialLink(id) }, trials.has(id) ? `Trial ${trials.get(id)?.number}` : id);
}

/** The networks with pretrained weights, where these come from, and their licence. @param {StudyView} study */
function weightsText({ weights }) {
  const texts = weights.map(({ network, origin, license }) => `${network} (${origin}, licence ${license ?? "unknown"})`);
  return texts.join("; ") || null;
}

/** How often models were scored on the test split, and why some were not. @param {StudyView} study */
function testText({ test_looks: looks, test_reason: reason }) {
  const times = looks > 0 && `looked at ${count(looks)} ${looks === 1 ? "time" : "times"}`;
  return [times, shortReason(reason)].filter(Boolean).join("; ") || null;
}

/** The running trials, each with its last epoch. @param {StudyResults} results */
function runningTrials({ study, trials, epochs }) {
  const now = [...trials.values()].filter(({ state }) => state === "RUNNING");
  const epochsOfAll = sameEpochs(study);
  const total = epochsOfAll === null ? "" : ` of ${epochsOfAll}`;
  /** @param {EpochEnded | undefined} epoch */
  const words = (epoch) => (epoch ? ` epoch ${epoch.epoch}${total}, F1 ${fraction(epoch.f1)}` : " starting");
  const items = now.map(({ id, number }) => {
    const link = h("a", { href: trialLink(id), "data-key": id }, `Trial ${number}`);
    return h("li", {}, link, words(epochs.get(id)));
  });
  return items.length > 0 && h("ul", { class: "running-trials", "aria-label": "Running trials" }, items);
}

/** The epochs of every trial; null where they differ between trials. @param {StudyView} study */
function sameEpochs({ spec: { space, budget } }) {
  const choices = space.epochs ? [space.epochs].flat() : [budget.epochs, ...Object.values(budget.epochs_of ?? {})];
  return new Set(choices).size === 1 ? choices[0] : null;
}

/** The images that could not be used, listed once the search has started; stays open while the rest is redrawn. */
function skippedImages() {
  const element = h("details", { hidden: true });
  let listed = 0;
  /** @param {StudyView} study */
  function update({ skipped, skipped_count }) {
    if (!skipped || !skipped_count || skipped_count === listed) return;
    listed = skipped_count;
    element.hidden = false;
    const lines = skipped.map(({ name, reason }) => `${name}: ${reason}`);
    if (listed > skipped.length) lines.push(`and ${count(listed - skipped.length)} more`);
    fill(element, h("summary", {}, `${count(listed)} images could not be used`), h("pre", {}, lines.join("\n")));
  }
  return { element, update };
}

/**
 * A function that passes on the latest text, if it is new, once in `period_ms` at most.
 *
 * @param {(text: string) => void} call
 * @param {number} period_ms
 * @param {AbortSignal} signal
 */
function throttled(call, period_ms, signal) {
  /** @type {string | null} */
  let said = null;
  let latest = "";
  /** @type {number | null} */
  let timer = null;
  const say = () => {
    timer = null;
    if (latest === said) return;
    said = latest;
    call(said);
    timer = setTimeout(say, period_ms);
  };
  signal.addEventListener("abort", () => clearTimeout(timer ?? undefined));
  return (/** @type {string} */ text) => {
    latest = text;
    if (timer === null) say();
  };
}
