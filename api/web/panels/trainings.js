// @ts-check
// Full trainings of a trial's candidate: those that were requested, and a new one.

import { post } from "../lib/api.js";
import { panel } from "../lib/components.js";
import { ask } from "../lib/dialogs.js";
import { fill, h } from "../lib/dom.js";
import { ago, fraction, shortReason } from "../lib/format.js";
import { attempt, notify } from "../lib/notices.js";
import { badge, queuePlace } from "../lib/states.js";
import { table } from "../lib/table.js";

/** @import { TrainingView, TrialDetail } from "../types/api.d.ts" */
/** @import { Column } from "../types/dom.d.ts" */

/**
 * `update(trial)` draws the panel.
 *
 * @param {string} trialId
 * @param {() => Promise<void>} refresh reads the trial again
 */
export function trainingsPanel(trialId, refresh) {
  const click = () => attempt(() => train(trialId, refresh));
  const button = h("button", { "data-key": "train", on: { click } }, "Train in full");
  const content = h("div", {});
  return {
    element: panel("Full training", button, content),
    /** @param {TrialDetail} trial */
    update({ state, trainings }) {
      button.hidden = state !== "COMPLETED";
      const none = "This candidate has not been trained on the whole training split yet.";
      fill(content, trainings.length ? trainingsTable(trainings) : h("p", { class: "empty" }, none));
    },
  };
}

/** @param {string} trialId @param {() => Promise<void>} refresh */
async function train(trialId, refresh) {
  const answer = await ask({
    title: "Train this candidate in full?",
    text:
      "It is trained from fresh weights on the whole training split, once per seed. " +
      "The weights with the best F1 are then used for compression.",
    fields: [
      { name: "epochs", label: "Epochs", type: "number", value: 30, min: 1, max: 10_000, step: 1 },
      { name: "seeds", label: "Seeds", type: "number", value: 1, min: 1, max: 20, step: 1 },
    ],
    confirm: "Train in full",
  });
  if (answer === null) return;
  const body = { epochs: Number(answer.epochs), seeds: Number(answer.seeds) };
  const { state } = await post(`/trials/${trialId}/train`, body);
  notify(`The training is ${state.toLowerCase()}.`);
  await refresh();
}

/** @param {TrainingView[]} trainings */
function trainingsTable(trainings) {
  /** @type {Column<TrainingView>[]} */
  const columns = [
    { label: "Epochs", numeric: true, cell: ({ epochs }) => epochs },
    { label: "Seeds", numeric: true, cell: ({ seeds }) => seeds },
    { label: "State", cell: (training) => [badge(training.state), queuePlace(training)] },
    { label: "F1", numeric: true, cell: f1Text },
    { label: "Ended", cell: ({ finished_at }) => ago(finished_at) },
    { label: "Reason", cell: ({ reason }) => shortReason(reason) },
  ];
  return table({ caption: "Full trainings of this trial's candidate", columns, rows: trainings });
}

/** @param {TrainingView} training */
function f1Text({ f1, f1_deviation, seeds }) {
  return seeds > 1 && f1 !== null ? `${fraction(f1)} ± ${fraction(f1_deviation)}` : fraction(f1);
}
