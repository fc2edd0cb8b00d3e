// @ts-check
// Rows of a list side by side: a column of boxes that choose them, and what is made of those that are chosen.

import { fill, h } from "./dom.js";
import { notify } from "./notices.js";

/** @import { Child, ListColumn } from "../types/dom.d.ts" */

const MOST_COMPARED = 4;

/** @template {{ id: string }} Row */
export class Comparison {
  element = h("div", {});
  /** @type {Map<string, Row>} */
  #chosen = new Map();
  #compare;
  #nameOf;

  /** @param {(rows: Row[]) => Child} compare @param {(row: Row) => string} nameOf */
  constructor(compare, nameOf) {
    this.#compare = compare;
    this.#nameOf = nameOf;
  }

  /** @returns {ListColumn<Row>} */
  get column() {
    return { key: "compare", label: "Compare", cell: (row) => this.#box(row) };
  }

  /** @param {Row} row */
  #box(row) {
    const label = `Compare ${this.#nameOf(row)}`;
    const attributes = { type: "checkbox", checked: this.#chosen.has(row.id), "data-key": `compare-${row.id}` };
    /** @type {HTMLInputElement} */
    const box = h("input", { ...attributes, "aria-label": label, on: { change: () => this.#choose(row, box) } });
    return box;
  }

  /** @param {Row} row @param {HTMLInputElement} box */
  #choose(row, box) {
    if (box.checked && this.#chosen.size === MOST_COMPARED) {
      box.checked = false;
      notify(`You can compare up to ${MOST_COMPARED} at a time.`);
      return;
    }
    if (box.checked) this.#chosen.set(row.id, row);
    else this.#chosen.delete(row.id);
    const rows = [...this.#chosen.values()];
    fill(this.element, rows.length > 1 && this.#compare(rows));
  }
}
