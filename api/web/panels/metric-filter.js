// A field for filters by metrics, written as the server reads them: "f1>=0.8, params<=100000".

import { h, uniqueId } from "../lib/dom.js";
import { METRICS } from "../lib/metrics.js";

const EXAMPLE = "f1>=0.8, params<=100000";
const FILTER = /^(\w+)\s*(>=|<=)\s*(\S+)$/;

/** Hands the filters in it to `apply`; what is none is told beside the field, and nothing is applied then. */
export function whereField(apply) {
  const id = uniqueId("where");
  const told = h("small", { id: `${id}-told`, role: "alert" });
  const input = h("input", { id, placeholder: EXAMPLE, "aria-describedby": told.id, autocomplete: "off" });
  const submit = (event) => {
    event.preventDefault();
    const parts = input.value.split(",").map((part) => part.trim()).filter(Boolean);
    const complaint = parts.map(complaintOf).find(Boolean) ?? "";
    told.textContent = complaint;
    input.setAttribute("aria-invalid", complaint !== "");
    if (complaint === "") apply(parts.map(asSent));
  };
  const label = h("label", { for: id }, "Where");
  return h("form", { class: "field where", on: { submit } }, label, input, h("button", {}, "Filter"), told);
}

function complaintOf(part) {
  const [, metric, , number] = FILTER.exec(part) ?? [];
  if (!metric) return `"${part}" is no filter: write a metric, >= or <=, and a number, as ${EXAMPLE}`;
  const known = Object.keys(METRICS);
  if (!known.includes(metric)) return `There is no metric "${metric}"; known: ${known.join(", ")}`;
  return Number.isFinite(Number(number)) ? null : `"${number}" in "${part}" is no number`;
}

/** With the number as every program reads it. */
const asSent = (part) => part.replace(FILTER, (_, metric, relation, number) => metric + relation + Number(number));
