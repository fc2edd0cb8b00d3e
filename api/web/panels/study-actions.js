// @ts-check
// What can be done with a study: pause, resume, cancel, extend and delete, each confirmed.

import { patch, post, remove } from "../lib/api.js";
import { ask } from "../lib/dialogs.js";
import { h } from "../lib/dom.js";
import { announce, attempt } from "../lib/notices.js";

/** @import { StudyState, StudyView } from "../types/api.d.ts" */
/** @import { Question } from "../lib/dialogs.js" */

/**
 * `run` answers with the study as it is afterwards, "deleted", or null if the user did not confirm.
 *
 * @typedef {object} Action
 * @property {string} name
 * @property {StudyState[]} states that allow it
 * @property {(study: StudyView) => Promise<StudyView | "deleted" | null>} run
 * @property {boolean} [danger]
 */

/** @type {Action[]} */
const ACTIONS = [
  { name: "Pause", states: ["QUEUED", "RUNNING"], run: pauseStudy },
  { name: "Resume", states: ["PAUSED"], run: resumeStudy },
  { name: "Extend", states: ["QUEUED", "RUNNING", "PAUSED", "COMPLETED", "FAILED"], run: extendStudy },
  { name: "Cancel", states: ["QUEUED", "RUNNING", "PAUSED"], run: cancelStudy, danger: true },
  { name: "Delete", states: ["COMPLETED", "FAILED", "CANCELLED"], run: deleteStudy, danger: true },
];

/**
 * The buttons that a study's state allows.
 *
 * @param {StudyView} study
 * @param {(changed: StudyView) => void} onChange
 * @param {() => void} onDeleted
 */
export function studyActions(study, onChange, onDeleted) {
  const allowed = ACTIONS.filter(({ states }) => states.includes(study.state));
  return h(
    "div",
    { class: "actions" },
    allowed.map((action) => button(action, study, onChange, onDeleted)),
  );
}

/**
 * @param {Action} action
 * @param {StudyView} study
 * @param {(changed: StudyView) => void} onChange
 * @param {() => void} onDeleted
 */
function button({ name, run, danger }, study, onChange, onDeleted) {
  const click = () =>
    attempt(async () => {
      const changed = await run(study);
      if (changed === null) return;
      if (changed === "deleted") {
        announce(`${study.name} is deleted.`);
        onDeleted();
        return;
      }
      announce(`${changed.name} is now ${changed.state.toLowerCase()}.`);
      onChange(changed);
    });
  const attributes = {
    class: danger && "danger",
    "aria-label": `${name} ${study.name}`,
    "data-key": `${name}-${study.id}`,
  };
  return h("button", { ...attributes, on: { click } }, name);
}

/** @param {Question} question @param {(answer: Record<string, string>) => Promise<StudyView>} act */
async function confirmed(question, act) {
  const answer = await ask(question);
  return answer === null ? null : act(answer);
}

/** @param {StudyView} study */
function pauseStudy({ id, name }) {
  const text = "Running trials finish; no new trials start.";
  return confirmed({ title: `Pause ${name}?`, text, confirm: "Pause" }, () => post(`/studies/${id}/pause`));
}

/** @param {StudyView} study */
function resumeStudy({ id, name }) {
  const text = "The search continues where it stopped.";
  return confirmed({ title: `Resume ${name}?`, text, confirm: "Resume" }, () => post(`/studies/${id}/resume`));
}

/** @param {StudyView} study */
function cancelStudy({ id, name }) {
  const text = "This stops its running trials and its compression, and cannot be undone. Results so far are kept.";
  const question = { title: `Cancel ${name}?`, text, confirm: "Cancel the study", danger: true };
  return confirmed(question, () => post(`/studies/${id}/cancel`));
}

/** @param {StudyView} study @returns {Promise<"deleted" | null>} */
async function deleteStudy({ id, name, progress }) {
  const text =
    `This deletes its ${progress.finished} trials with their models, files and events, and cannot be undone. ` +
    "Studies that learned from it keep their results.";
  const question = { title: `Delete ${name}?`, text, confirm: "Delete the study", danger: true };
  if ((await ask(question)) === null) return null;
  await remove(`/studies/${id}`);
  return "deleted";
}

/** @param {StudyView} study */
function extendStudy({ id, name, spec }) {
  const { max_trials, max_minutes } = spec.budget;
  const trials = { name: "max_trials", label: "Total trials", value: max_trials + 10, min: max_trials, step: 1 };
  const minutes = { name: "max_minutes", label: "Total minutes", value: max_minutes, min: max_minutes, step: "any" };
  const fields = max_minutes == null ? [trials] : [trials, minutes];
  const question = {
    title: `Extend ${name}`,
    text: `Its budget is ${max_trials} trials. You can only raise it. A study that has ended starts searching again.`,
    fields: fields.map((field) => ({ ...field, type: "number" })),
    confirm: "Extend",
  };
  return confirmed(question, (answer) => {
    const raised = Object.entries(answer).map(([field, value]) => [field, Number(value)]);
    return patch(`/studies/${id}`, { budget: Object.fromEntries(raised) });
  });
}
