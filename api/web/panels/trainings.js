// A trial's candidate in full: the trainings that were asked for, and a new one.

import { post } from "../lib/api.js";
import { ask } from "../lib/dialogs.js";
import { attempt, fill, h, notify, panel } from "../lib/dom.js";
import { ago, badge, share, shortReason } from "../lib/format.js";
import { table } from "../lib/table.js";

/** `update(trial)` draws the panel; `refresh` reads the trial again. */
export function trainingsPanel(id, refresh) {
  const button = h("button", { "data-key": "train", on: { click: () => attempt(() => train(id, refresh)) } }, "Train in full");
  const content = h("div", {});
  return {
    element: panel("In full", button, content),
    update({ state, trainings }) {
      button.hidden = state !== "COMPLETED";
      const none = "Its candidate has not been trained on all the data yet.";
      fill(content, trainings.length ? trainingsTable(trainings) : h("p", { class: "empty" }, none));
    },
  };
}

async function train(id, refresh) {
  const answer = await ask({
    title: "Train this candidate in full?",
    text: "From fresh weights on the whole training split, once for each seed. The best weights are what is compressed afterwards.",
    fields: [
      { name: "epochs", label: "Epochs", type: "number", value: 30, min: 1, max: 10_000, step: 1 },
      { name: "seeds", label: "Seeds", type: "number", value: 1, min: 1, max: 20, step: 1 },
    ],
    confirm: "Train in full",
  });
  if (answer === null) return;
  const { state } = await post(`/trials/${id}/train`, { epochs: Number(answer.epochs), seeds: Number(answer.seeds) });
  notify(`The training is ${state.toLowerCase()}.`);
  await refresh();
}

function trainingsTable(trainings) {
  const columns = [
    { label: "Epochs", numeric: true, cell: ({ epochs }) => epochs },
    { label: "Seeds", numeric: true, cell: ({ seeds }) => seeds },
    { label: "State", cell: ({ state }) => badge(state) },
    { label: "F1", numeric: true, cell: f1Text },
    { label: "Ended", cell: ({ finished_at }) => ago(finished_at) },
    { label: "Reason", cell: ({ reason }) => shortReason(reason) },
  ];
  return table({ caption: "Trainings in full of this trial's candidate", columns, rows: trainings });
}

function f1Text({ f1, f1_deviation, seeds }) {
  return seeds > 1 && f1 !== null ? `${share(f1)} ± ${share(f1_deviation)}` : share(f1);
}
