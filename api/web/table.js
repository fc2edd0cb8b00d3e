// Tables: plain ones, and listings that the server sorts and pages by cursor.
//
// A column is {key, label, cell(row), sort, numeric, wide}: `sort` names what the server sorts it by, `wide` hides it
// on a phone. The first column heads its row.

import { get } from "./api.js";
import { attempt, fill, h } from "./dom.js";
import { bestFirst } from "./metrics.js";

const PAGE_ROWS = 50;
const MOST_LIVE_ROWS = 500;

/** A table of rows that are all there. `narrow` "cards" turns its rows into cards on a phone. */
export function table({ caption, columns, rows, narrow = "scroll", head = plainHead }) {
  const body = rows.map((row) =>
    h(
      "tr",
      { role: "row" },
      columns.map((column, at) => bodyCell(column, row, at)),
    ),
  );
  // The roles keep it a table for screen readers where CSS lays it out as something else.
  const content = h(
    "table",
    { role: "table", class: narrow },
    h("caption", { class: "visually-hidden" }, caption),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, columns.map(head))),
    h("tbody", { role: "rowgroup" }, body),
  );
  return h("div", { class: "scroll", role: "region", "aria-label": caption, tabindex: 0 }, content);
}

function headCell(column, attributes, content) {
  return h("th", { role: "columnheader", scope: "col", class: classesOf(column), ...attributes }, content);
}

function plainHead(column) {
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

/**
 * A listing of the server. `parameters` filter it; `sort` is what it is sorted by at first.
 * Answers with its element, `refresh()` to read it again, and `filter(parameters)`.
 */
export function listing({ caption, path, parameters, columns, sort, empty, signal }) {
  const element = h("div", { class: "listing" });
  const state = { parameters, sort, order: bestFirst(sort), rows: [], next: null };
  let newest = 0;

  async function read(cursor, limit) {
    const turn = (newest += 1);
    const query = { ...state.parameters, sort: state.sort, order: state.order, cursor, limit };
    const page = await get(path, query, { signal });
    if (turn !== newest) return;
    state.rows = cursor === null ? page.items : [...state.rows, ...page.items];
    state.next = page.next;
    draw();
  }

  function sortBy(key) {
    const reversed = state.order === "asc" ? "desc" : "asc";
    state.order = key === state.sort ? reversed : bestFirst(key);
    state.sort = key;
    return attempt(() => read(null, PAGE_ROWS));
  }

  function sortableHead(column) {
    if (!column.sort) return plainHead(column);
    const chosen = column.sort === state.sort;
    const direction = state.order === "asc" ? "ascending" : "descending";
    const button = h(
      "button",
      { "data-key": `sort-${column.key}`, on: { click: () => sortBy(column.sort) } },
      column.label,
    );
    return headCell(column, { "aria-sort": chosen && direction }, button);
  }

  function draw() {
    const { rows, next } = state;
    const more = () => attempt(() => read(next, PAGE_ROWS));
    fill(
      element,
      rows.length ? table({ caption, columns, rows, head: sortableHead }) : h("p", { class: "empty" }, empty),
      next &&
        h("p", { class: "actions" }, h("button", { "data-key": "more", on: { click: more } }, "More"), shownRows(rows)),
    );
  }

  return {
    element,
    /** Read again as many rows as are shown. A table that was paged far down stands still: nobody's place is lost. */
    async refresh() {
      if (state.rows.length <= MOST_LIVE_ROWS) await read(null, Math.max(PAGE_ROWS, state.rows.length));
    },
    filter(changed) {
      Object.assign(state.parameters, changed);
      return attempt(() => read(null, PAGE_ROWS));
    },
  };
}

function shownRows(rows) {
  const still = rows.length > MOST_LIVE_ROWS ? "; no longer live: sort or filter to start again" : "";
  return h("span", { class: "muted" }, `${rows.length} rows shown${still}`);
}
