// @ts-check
// Questions: a modal dialog with some fields, answered or dismissed.

import { h, uniqueId } from "./dom.js";

/** @import { Attributes } from "../types/dom.d.ts" */

/**
 * @typedef {object} Question
 * @property {string} title
 * @property {string} text
 * @property {({ name: string, label: string, type: string } & Attributes<"input">)[]} [fields] inputs
 * @property {string} confirm what the button says that answers with yes
 * @property {boolean} [danger] whether what is asked for destroys something
 */

/**
 * Ask, and wait for the answer: the fields' values by name, or null if the dialog was dismissed.
 *
 * @param {Question} question
 * @returns {Promise<Record<string, string> | null>}
 */
export function ask({ title, text, fields = [], confirm, danger = false }) {
  const heading = uniqueId("dialog");
  const inputs = fields.map(({ label, ...attributes }) => {
    const input = h("input", { id: uniqueId("input"), required: true, autocomplete: "off", ...attributes });
    return { input, row: h("p", { class: "field" }, h("label", { for: input.id }, label), input) };
  });
  /** @type {HTMLDialogElement} */
  const dialog = h(
    "dialog",
    { "aria-labelledby": heading },
    h(
      "form",
      { method: "dialog" },
      h("h2", { id: heading }, title),
      h("p", {}, text),
      inputs.map(({ row }) => row),
      h(
        "p",
        { class: "actions" },
        h("button", { type: "submit", value: "yes", class: danger ? "danger" : "primary" }, confirm),
        h("button", { type: "button", on: { click: () => dialog.close() } }, "Back"),
      ),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      const values = Object.fromEntries(inputs.map(({ input }) => [input.name, input.value]));
      resolve(dialog.returnValue === "yes" ? values : null);
    });
  });
}
