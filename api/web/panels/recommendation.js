// @ts-check
// What to ship: the recommended model of each host and runtime, and the other picks of its front.

import { facts, panel } from "../lib/components.js";
import { fill, h } from "../lib/dom.js";
import { METRICS, formatMetric, latencyWithInterval, testF1WithInterval } from "../lib/metrics.js";
import { trialLink } from "../lib/router.js";
import { download } from "./variants.js";

/** @import { VariantFront, VariantView } from "../types/api.d.ts" */
/** @import { StudyResults } from "../lib/study-results.js" */

/** The panel of a study's recommended models; `update()` draws it again. @param {StudyResults} results */
export function recommendationPanel(results) {
  const content = h("div", { class: "winners" });
  const element = panel("The model to ship", null, content);
  element.hidden = true;
  return {
    element,
    update() {
      const cards = targetFronts(results).map(card);
      element.hidden = cards.length === 0;
      fill(content, cards);
    },
    /** The models of the fronts that are shown, the recommended ones first. */
    models() {
      const fronts = targetFronts(results);
      const picks = new Set(fronts.map(({ recommended }) => recommended));
      const items = fronts.flatMap((front) => front.items);
      return items.toSorted((a, b) => Number(picks.has(b.id)) - Number(picks.has(a.id)));
    },
  };
}

/** The front of the study's target; if none was measured there, all of them. @param {StudyResults} results */
function targetFronts({ fronts, recommended }) {
  const target = fronts.filter((front) => front.recommended === recommended);
  return target.length > 0 ? target : fronts;
}

/** @param {VariantFront} front */
function card({ host, items, recommended, ties, knee, best_score }) {
  /** @param {string | null} id */
  const itemOf = (id) => items.find((item) => item.id === id);
  const chosen = itemOf(recommended);
  if (!chosen) return null;
  const { recipe, metrics, artifacts, trial_id, trial_number } = chosen;
  const heading = h("a", { href: trialLink(trial_id), "data-key": `winner-${recommended}` }, `Trial ${trial_number}`);
  return h(
    "div",
    { class: "winner" },
    h("p", {}, heading, `, ${recipe}: the fastest model whose F1 is within 0.01 of the best.`),
    facts([
      ["F1", formatMetric("f1", metrics.f1)],
      ["F1 on test images", chosen.f1_test === null ? null : testF1WithInterval(chosen)],
      ["Latency", latencyWithInterval(metrics)],
      ["Size", formatMetric("size_bytes", metrics.size_bytes)],
      [METRICS.score.label, metrics.score === undefined ? null : formatMetric("score", metrics.score)],
      ["Equally fast models", ties.length || null],
      ["Knee of the front", modelText(itemOf(knee))],
      ["Best score", best_score === recommended ? null : modelText(itemOf(best_score))],
    ]),
    h("p", { class: "files" }, artifacts.map(download), h("code", {}, `seedleaf fetch ${recommended} --out DIR`)),
    h("p", { class: "muted" }, `Measured on ${host}.`),
  );
}

/** @param {VariantView | undefined} model */
function modelText(model) {
  if (!model) return null;
  const { recipe, metrics } = model;
  return `${recipe}: F1 ${formatMetric("f1", metrics.f1)}, ${formatMetric("latency_ms", metrics.latency_ms)}`;
}
