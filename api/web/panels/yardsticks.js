// @ts-check
// What the search is compared with: a linear probe and the plain way, in a study of pretrained networks. And which
// families of networks have models on the front, in a study of several.

import { facts, panel } from "../lib/components.js";
import { fill, h } from "../lib/dom.js";
import { formatMetric, latencyWithInterval } from "../lib/metrics.js";
import { trialLink } from "../lib/router.js";
import { table } from "../lib/table.js";

/** @import { TrialRole } from "../types/api.d.ts" */
/** @import { StudyResults, Trial } from "../lib/study-results.js" */

/** @typedef {{ family: string, trials: number, models: number }} Family completed trials, and models on the front */

/** The panel of both; hidden until there is something to say. @param {StudyResults} results */
export function yardsticksPanel(results) {
  const content = h("div", {});
  const element = panel("What the search is compared with", null, content);
  element.hidden = true;
  return {
    element,
    update() {
      const parts = [yardsticks(results), families(results)];
      element.hidden = !parts.some(Boolean);
      fill(content, parts);
    },
  };
}

/** The trials with a role and the best of the others. @param {StudyResults} results */
function yardsticks({ trials }) {
  const completed = [...trials.values()].filter(({ state }) => state === "COMPLETED");
  /** @param {TrialRole} role */
  const last = (role) => completed.findLast((trial) => trial.role === role);
  if (!last("probe") && !last("plain")) return null;
  const searched = completed.filter(({ role }) => role === null);
  const best = searched.toSorted((a, b) => b.metrics.f1 - a.metrics.f1)[0];
  return facts([
    ["Linear probe: the whole network, only its classifier is fitted", trialText(last("probe"))],
    ["The plain way: the whole network, fine-tuned", trialText(last("plain"))],
    ["The search's best F1", trialText(best)],
  ]);
}

/** @param {Trial | undefined} trial */
function trialText(trial) {
  if (!trial) return null;
  const { id, number, metrics } = trial;
  const link = h("a", { href: trialLink(id), "data-key": `yardstick-${id}` }, `trial ${number}`);
  return [`F1 ${formatMetric("f1", metrics.f1)} at ${latencyWithInterval(metrics)}, `, link];
}

/** @param {StudyResults} results */
function families(results) {
  const rows = familiesOf(results);
  if (rows.length < 2) return null;
  const scope = results.complete ? "" : " Trials: those that the charts show.";
  return [
    table({
      caption: "Families of networks",
      columns: [
        { label: "Family", cell: ({ family }) => family },
        { label: "Trials completed", numeric: true, cell: ({ trials }) => trials },
        { label: "Models on the front", numeric: true, cell: ({ models }) => models },
      ],
      rows,
    }),
    h("p", { class: "muted" }, `Models on the front: variants that no other variant beats in F1 and latency.${scope}`),
  ];
}

/** The families with a completed trial, those with the most models on the front first. @param {StudyResults} results */
function familiesOf({ trials, fronts }) {
  /** @type {Map<string, Family>} */
  const byName = new Map();
  for (const { family, state } of trials.values()) {
    if (!family || state !== "COMPLETED") continue;
    const row = byName.get(family) ?? { family, trials: 0, models: 0 };
    byName.set(family, { ...row, trials: row.trials + 1 });
  }
  for (const { trial_id } of fronts.flatMap(({ items }) => items)) {
    const row = byName.get(trials.get(trial_id)?.family ?? "");
    if (row) row.models += 1;
  }
  return [...byName.values()].toSorted((a, b) => b.models - a.models || b.trials - a.trials);
}
