// @ts-check
// Parts that every view is built from: panels, facts, drop-downs and bars.

import { h, uniqueId } from "./dom.js";

/** @import { Child } from "../types/dom.d.ts" */

/**
 * A drop-down with its label.
 *
 * @template {string} Value
 * @param {string} label
 * @param {readonly (readonly [value: Value, text: string])[]} options
 * @param {Value | null} chosen
 * @param {(value: Value) => unknown} onChange
 */
export function labelledSelect(label, options, chosen, onChange) {
  const id = uniqueId("select");
  const entries = options.map(([value, text]) => h("option", { value, selected: value === chosen }, text));
  /** @param {{ currentTarget: HTMLSelectElement }} event */
  const change = ({ currentTarget }) => onChange(/** @type {Value} */ (currentTarget.value));
  const select = h("select", { id, on: { change } }, entries);
  return h("span", { class: "field" }, h("label", { for: id }, label), select);
}

/**
 * A section with a heading, and beside it its controls.
 *
 * @param {string} title
 * @param {Child} controls
 * @param {Child[]} children
 */
export function panel(title, controls, ...children) {
  const id = uniqueId("heading");
  const head = h("div", { class: "panel-head" }, h("h2", { id }, title), h("div", { class: "controls" }, controls));
  return h("section", { class: "panel", "aria-labelledby": id }, head, children);
}

/**
 * Terms with their values; those without a value are left out.
 *
 * @param {[term: string, value: Child][]} pairs
 */
export function facts(pairs) {
  const present = pairs.filter(([, value]) => value != null);
  return h(
    "dl",
    { class: "facts" },
    present.map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value))),
  );
}

/**
 * A fraction between 0 and 1 as a bar, beside the number that says it.
 *
 * @param {number} fraction
 */
export function bar(fraction) {
  return h("meter", { value: fraction, min: 0, max: 1, "aria-hidden": "true" });
}
