// @ts-check
// Tables of rows that are all there; server-list.js has those that the server sorts and pages.

import { h } from "./dom.js";

/** @import { Attributes, Child, Column } from "../types/dom.d.ts" */

/**
 * A table of rows that are all there. On a phone it scrolls sideways, or with `narrow` "cards" its rows become cards.
 * The first column heads its row.
 *
 * @template Row
 * @param {{ caption: string, columns: Column<Row>[], rows: Row[], narrow?: "scroll" | "cards" }} options
 */
export function table({ caption, columns, rows, narrow = "scroll" }) {
  const head = h("tr", { role: "row" }, columns.map(plainHead));
  const content = frame(caption, head, rows.map((row) => bodyRow(columns, row)), narrow);
  return h("div", { class: "scroll", role: "region", "aria-label": caption, tabindex: 0 }, content);
}

/**
 * A table of rows that are elements already. The roles keep it a table for screen readers where CSS lays it out
 * otherwise.
 *
 * @param {string} caption
 * @param {HTMLTableRowElement} head
 * @param {Child} rows
 * @param {string} style the class of the table
 */
export function frame(caption, head, rows, style) {
  return h(
    "table",
    { role: "table", class: style },
    h("caption", { class: "visually-hidden" }, caption),
    h("thead", { role: "rowgroup" }, head),
    h("tbody", { role: "rowgroup" }, rows),
  );
}

/**
 * @template Row
 * @param {Column<Row>[]} columns
 * @param {Row} row
 * @param {Attributes<"tr">} [attributes]
 */
export function bodyRow(columns, row, attributes = {}) {
  return h("tr", { role: "row", ...attributes }, columns.map((column, index) => bodyCell(column, row, index)));
}

/** @typedef {Pick<Column<never>, "label" | "numeric" | "wide">} Heading */

/** @param {Heading} column @param {Attributes<"th">} attributes @param {Child} content */
export function headCell(column, attributes, content) {
  return h("th", { role: "columnheader", scope: "col", class: classesOf(column), ...attributes }, content);
}

/** @param {Heading} column */
export function plainHead(column) {
  return headCell(column, {}, column.label);
}

/**
 * @template Row
 * @param {Column<Row>} column
 * @param {Row} row
 * @param {number} index of the column
 */
function bodyCell(column, row, index) {
  const attributes = { class: classesOf(column), "data-label": column.label };
  if (index === 0) return h("th", { role: "rowheader", scope: "row", ...attributes }, column.cell(row));
  return h("td", { role: "cell", ...attributes }, column.cell(row));
}

/** @param {Heading} column */
function classesOf({ numeric, wide }) {
  return [numeric && "numeric", wide && "wide"].filter(Boolean).join(" ") || null;
}
