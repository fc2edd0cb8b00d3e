// @ts-check
// A field for filters by metrics, written as the server reads them: "f1>=0.8, params<=100000".

import { h, uniqueId } from "../lib/dom.js";
import { METRIC_NAMES, isMetric } from "../lib/metrics.js";

const EXAMPLE = "f1>=0.8, params<=100000";
const FILTER = /^(\w+)\s*(>=|<=)\s*(\S+)$/;

/**
 * Hands the filters in it to `apply`. A part that is no filter is reported beside the field, and nothing is applied.
 *
 * @param {(filters: string[]) => unknown} apply
 */
export function metricFilter(apply) {
  const id = uniqueId("filter");
  const alert = h("small", { id: `${id}-alert`, role: "alert" });
  const input = h("input", { id, placeholder: EXAMPLE, "aria-describedby": alert.id, autocomplete: "off" });
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    const parts = input.value.split(",").map((part) => part.trim()).filter(Boolean);
    const mistake = parts.map(mistakeIn).find(Boolean) ?? "";
    alert.textContent = mistake;
    input.setAttribute("aria-invalid", String(mistake !== ""));
    if (mistake === "") apply(parts.map(normalized));
  };
  const label = h("label", { for: id }, "Where");
  return h("form", { class: "field where", on: { submit } }, label, input, h("button", {}, "Filter"), alert);
}

/** @param {string} part */
function mistakeIn(part) {
  const [, metric, , number] = FILTER.exec(part) ?? [];
  if (!metric) return `"${part}" is no filter: write a metric, >= or <=, and a number, as in ${EXAMPLE}`;
  if (!isMetric(metric)) return `There is no metric "${metric}"; known: ${METRIC_NAMES.join(", ")}`;
  return Number.isFinite(Number(number)) ? null : `"${number}" in "${part}" is no number`;
}

/** With the number as every program reads it. @param {string} part */
const normalized = (part) =>
  part.replace(FILTER, (_, metric, relation, number) => metric + relation + Number(number));
