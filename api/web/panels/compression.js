// @ts-check
// The compression jobs of a trial, and a new one of a chosen recipe.

import { post } from "../lib/api.js";
import { labelledSelect, panel } from "../lib/components.js";
import { fill, h } from "../lib/dom.js";
import { ago, shortReason } from "../lib/format.js";
import { attempt, notify } from "../lib/notices.js";
import { badge } from "../lib/states.js";
import { table } from "../lib/table.js";

/** @import { JobView, RecipeView, TrialDetail } from "../types/api.d.ts" */
/** @import { Column } from "../types/dom.d.ts" */

/**
 * `update(trial)` draws the panel.
 *
 * @param {string} trialId
 * @param {RecipeView[]} recipes at least one
 * @param {() => Promise<void>} refresh reads the trial again
 */
export function compressionPanel(trialId, recipes, refresh) {
  let recipe = recipes[0].name;
  /** @type {[string, string][]} */
  const options = recipes.map(({ name, description }) => [name, `${name}: ${description}`]);
  const choice = labelledSelect("Recipe", options, recipe, (name) => (recipe = name));
  const compress = () =>
    attempt(async () => {
      const { state } = await post(`/trials/${trialId}/compress`, { recipe });
      notify(`The recipe ${recipe} is ${state.toLowerCase()} for this trial.`);
      await refresh();
    });
  const controls = h("span", { class: "controls" }, choice, h("button", { on: { click: compress } }, "Compress"));
  const content = h("div", {});
  return {
    element: panel("Compression", controls, content),
    /** @param {TrialDetail} trial */
    update({ state, compression }) {
      controls.hidden = state !== "COMPLETED";
      const none =
        state === "COMPLETED" ? "No recipe has been tried yet." : "Only completed trials have weights to compress.";
      fill(content, compression.length ? jobsTable(compression) : h("p", { class: "empty" }, none));
    },
  };
}

/** @param {JobView[]} jobs */
function jobsTable(jobs) {
  /** @type {Column<JobView>[]} */
  const columns = [
    { label: "Recipe", cell: ({ recipe }) => recipe.name },
    { label: "State", cell: ({ state }) => badge(state) },
    { label: "Steps", cell: ({ recipe: { steps } }) => steps.map(stepText).join("; ") || "as it was trained" },
    { label: "Ended", cell: ({ finished_at }) => ago(finished_at) },
    { label: "Reason", cell: reasonCell },
  ];
  return table({ caption: "Compression jobs of this trial", columns, rows: jobs });
}

/** @param {JobView["recipe"]["steps"][number]} step */
function stepText({ technique, ...options }) {
  const values = Object.entries(options)
    .filter(([, value]) => value != null)
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`);
  return [technique.replaceAll("_", " "), values.length && `(${values.join(", ")})`].filter(Boolean).join(" ");
}

/** @param {JobView} job */
function reasonCell({ reason }) {
  if (!reason) return null;
  if (reason === shortReason(reason)) return reason;
  return h("details", {}, h("summary", {}, shortReason(reason)), h("pre", {}, reason));
}
