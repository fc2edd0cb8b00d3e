// Tables of rows that are all there; listing.js has those that the server sorts and pages.
//
// A column is {key, label, cell(row), sort, numeric, wide}: `sort` names what the server sorts it by, `wide` hides it
// on a phone. The first column heads its row.

import { h } from "./dom.js";

/** A table of rows that are all there. `narrow` "cards" turns its rows into cards on a phone. */
export function table({ caption, columns, rows, narrow = "scroll" }) {
  const head = h("tr", { role: "row" }, columns.map(plainHead));
  const content = frame(caption, head, rows.map((row) => bodyRow(columns, row)), narrow);
  return h("div", { class: "scroll", role: "region", "aria-label": caption, tabindex: 0 }, content);
}

/** A table of rows that are made already. The roles keep it one for screen readers where CSS lays it out otherwise. */
export function frame(caption, head, rows, style) {
  return h(
    "table",
    { role: "table", class: style },
    h("caption", { class: "visually-hidden" }, caption),
    h("thead", { role: "rowgroup" }, head),
    h("tbody", { role: "rowgroup" }, rows),
  );
}

export function bodyRow(columns, row, attributes = {}) {
  return h("tr", { role: "row", ...attributes }, columns.map((column, at) => bodyCell(column, row, at)));
}

export function headCell(column, attributes, content) {
  return h("th", { role: "columnheader", scope: "col", class: classesOf(column), ...attributes }, content);
}

export function plainHead(column) {
  return headCell(column, {}, column.label);
}

function bodyCell(column, row, at) {
  const head = at === 0 ? { role: "rowheader", scope: "row" } : { role: "cell" };
  const tag = at === 0 ? "th" : "td";
  return h(tag, { ...head, class: classesOf(column), "data-label": column.label }, column.cell(row));
}

function classesOf({ numeric, wide }) {
  return [numeric && "numeric", wide && "wide"].filter(Boolean).join(" ") || null;
}
