// What to ship: the recommended model of each host and runtime, and the other picks of its front.

import { facts, fill, h, panel } from "../lib/dom.js";
import { METRICS, formatMetric, latencyWithInterval } from "../lib/metrics.js";
import { trialLink } from "../lib/router.js";
import { download } from "./variants.js";

/** The panel of a StudyModel's winners; `update()` draws it again. */
export function winnerPanel(model) {
  const content = h("div", { class: "winners" });
  const element = panel("The model to ship", null, content);
  function update() {
    const shown = shippable(model);
    element.hidden = shown.length === 0;
    fill(content, shown.map(winner));
  }
  element.hidden = true;
  /** The models of the fronts that are shown, the recommended ones first. */
  function models() {
    const picks = new Set(model.fronts.map(({ recommended }) => recommended));
    const items = shippable(model).flatMap((front) => front.items);
    return items.toSorted((a, b) => picks.has(b.id) - picks.has(a.id));
  }
  return { element, update, models };
}

/** The front of the study's target, or where there is no such one, all of them: hosts are not compared. */
function shippable({ fronts, recommended }) {
  const target = fronts.filter((front) => front.recommended === recommended);
  return target.length > 0 ? target : fronts;
}

function winner({ host, items, recommended, ties, knee, best_score }) {
  const chosen = items.find(({ id }) => id === recommended);
  const name = (id) => items.find((item) => item.id === id);
  const { recipe, metrics, artifacts, trial_id, trial_number } = chosen;
  const heading = h("a", { href: trialLink(trial_id), "data-key": `winner-${recommended}` }, `Trial ${trial_number}`);
  return h(
    "div",
    { class: "winner" },
    h("p", {}, heading, `, ${recipe}: the fastest within 0.01 of the best F1.`),
    facts([
      ["F1", formatMetric("f1", metrics.f1)],
      ["Latency", latencyWithInterval(metrics)],
      ["Size", formatMetric("size_bytes", metrics.size_bytes)],
      [METRICS.score.label, metrics.score === undefined ? null : formatMetric("score", metrics.score)],
      ["Models as fast as it", ties.length || null],
      ["Knee of the front", modelText(name(knee))],
      ["Best score", best_score === recommended ? null : modelText(name(best_score))],
    ]),
    h("p", { class: "files" }, artifacts.map(download), h("code", {}, `seedleaf fetch ${recommended} --out DIR`)),
    h("p", { class: "muted" }, `Measured on ${host}.`),
  );
}

/** A model that the front holds, in words; null where there is none to tell of. */
function modelText(model) {
  if (!model) return null;
  const { recipe, metrics } = model;
  return `${recipe}: F1 ${formatMetric("f1", metrics.f1)}, ${formatMetric("latency_ms", metrics.latency_ms)}`;
}
