// What can be done with a study: pause, resume, cancel and extend, each confirmed.

import { patch, post } from "../lib/api.js";
import { ask } from "../lib/dialogs.js";
import { attempt, announce, h } from "../lib/dom.js";

const ACTIONS = [
  { name: "Pause", states: ["QUEUED", "RUNNING"], run: pauseStudy },
  { name: "Resume", states: ["PAUSED"], run: resumeStudy },
  { name: "Extend", states: ["QUEUED", "RUNNING", "PAUSED", "COMPLETED", "FAILED"], run: extendStudy },
  { name: "Cancel", states: ["QUEUED", "RUNNING", "PAUSED"], run: cancelStudy, danger: true },
];

/** The buttons that a study's state allows; `onChange` gets the study as it is afterwards. */
export function studyActions(study, onChange) {
  const allowed = ACTIONS.filter(({ states }) => states.includes(study.state));
  return h(
    "div",
    { class: "actions" },
    allowed.map((action) => button(action, study, onChange)),
  );
}

function button({ name, run, danger }, study, onChange) {
  const click = () =>
    attempt(async () => {
      const changed = await run(study);
      if (changed === null) return;
      announce(`${changed.name} is ${changed.state.toLowerCase()} now.`);
      onChange(changed);
    });
  const attributes = {
    class: danger && "danger",
    "aria-label": `${name} ${study.name}`,
    "data-key": `${name}-${study.id}`,
  };
  return h("button", { ...attributes, on: { click } }, name);
}

async function confirmed(question, act) {
  const answer = await ask(question);
  return answer === null ? null : act(answer);
}

function pauseStudy({ id, name }) {
  const text = "No more trials are started; those that run go on to their end.";
  return confirmed({ title: `Pause ${name}?`, text, confirm: "Pause" }, () => post(`/studies/${id}/pause`));
}

function resumeStudy({ id, name }) {
  const text = "It searches on where it stopped.";
  return confirmed({ title: `Resume ${name}?`, text, confirm: "Resume" }, () => post(`/studies/${id}/resume`));
}

function cancelStudy({ id, name }) {
  const text = "This ends it for good, with its running trials and its compression. What was found so far is kept.";
  const question = { title: `Cancel ${name}?`, text, confirm: "Cancel the study", danger: true };
  return confirmed(question, () => post(`/studies/${id}/cancel`));
}

function extendStudy({ id, name, spec }) {
  const { max_trials, max_minutes } = spec.budget;
  const trials = { name: "max_trials", label: "Trials in all", value: max_trials + 10, min: max_trials, step: 1 };
  const minutes = { name: "max_minutes", label: "Minutes in all", value: max_minutes, min: max_minutes, step: "any" };
  const fields = max_minutes === null ? [trials] : [trials, minutes];
  const question = {
    title: `Extend ${name}`,
    text: `Its budget is ${max_trials} trials. It can only be raised; a study that has ended searches on.`,
    fields: fields.map((field) => ({ ...field, type: "number" })),
    confirm: "Extend",
  };
  return confirmed(question, (answer) => {
    const raised = Object.entries(answer).map(([field, value]) => [field, Number(value)]);
    return patch(`/studies/${id}`, { budget: Object.fromEntries(raised) });
  });
}
