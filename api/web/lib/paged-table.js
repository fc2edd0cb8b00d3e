// Listings that the server sorts and pages by cursor, however long: only the rows in sight are in the page.
//
// A column is as in table.js, with `sort`: what the server sorts it by, and `extra`: not shown until it is chosen.

import { get, getAll } from "./api.js";
import { announce, attempt, fill, h, notify, uniqueId } from "./dom.js";
import { count } from "./format.js";
import { bestFirst } from "./metrics.js";
import { save, toCsv } from "./downloads.js";
import { bodyRow, frame, headCell, plainHead } from "./table.js";

const FIRST_ROWS = 60;
const PAGE_ROWS = 200;
/** So many rows are read again when something changes; of more only the first page is. */
const MOST_LIVE_ROWS = 400;
const MOST_SAVED_ROWS = 1_000_000;
const MOST_COMPARED = 4;
const OVERSCAN_ROWS = 12;
const ROW_PX = 37;

/**
 * A listing of the server. `parameters` filter it; `sort` is what it is sorted by at first; `compare(rows)` makes an
 * element of up to four chosen rows. Answers with its element and controls, and with `refresh()`, `filter(parameters)` and
 * `rows()`.
 */
export function listing(options) {
  const view = new Listing(options);
  return {
    element: view.element,
    controls: view.controls(),
    refresh: () => view.refresh(),
    filter: (changed) => view.filter(changed),
    rows: () => view.rows,
  };
}

class Listing {
  rows = [];
  element = h("div", { class: "listing" });
  #options;
  #parameters;
  #sort;
  #order;
  #hidden;
  #next = null;
  #turn = 0;
  #reading = false;
  #chosen = new Map();
  #scroller = null;
  #drawn = null;
  #compared = h("div", {});
  #counted = h("p", { class: "muted" });

  constructor(options) {
    this.#options = options;
    this.#parameters = { ...options.parameters };
    this.#sort = options.sort;
    this.#order = bestFirst(options.sort);
    this.#hidden = new Set(options.columns.filter(({ extra }) => extra).map(({ key }) => key));
  }

  get #columns() {
    const shown = this.#options.columns.filter(({ key }) => !this.#hidden.has(key));
    return this.#options.compare ? [...shown, this.#compareColumn()] : shown;
  }

  async refresh() {
    if (this.rows.length > MOST_LIVE_ROWS && this.#scroller?.scrollTop > 0) return;
    await this.#read(null, Math.max(FIRST_ROWS, Math.min(this.rows.length, MOST_LIVE_ROWS)));
  }

  async filter(changed) {
    Object.assign(this.#parameters, changed);
    await this.#again();
    announce(this.#count());
  }

  #again() {
    this.#scroller?.scrollTo(0, 0);
    return attempt(() => this.#read(null, FIRST_ROWS));
  }

  async #read(cursor, limit) {
    const turn = (this.#turn += 1);
    const query = { ...this.#parameters, sort: this.#sort, order: this.#order, cursor, limit };
    const page = await get(this.#options.path, query, { signal: this.#options.signal });
    if (turn !== this.#turn) return;
    this.rows = cursor === null ? page.items : [...this.rows, ...page.items];
    this.#next = page.next;
    this.#draw();
  }

  /** More rows, when the last ones come into sight. */
  async #readOn() {
    if (this.#reading || this.#next === null) return;
    this.#reading = true;
    await attempt(() => this.#read(this.#next, PAGE_ROWS));
    this.#reading = false;
  }

  #draw() {
    const { caption } = this.#options;
    this.#counted.textContent = this.#count();
    if (this.rows.length === 0) {
      this.#scroller = null;
      fill(this.element, this.#counted, this.#compared);
      return;
    }
    if (this.#scroller === null) {
      const on = { scroll: () => this.#drawRows() };
      this.#scroller = h("div", { class: "scroll long", role: "region", "aria-label": caption, tabindex: 0, on });
      fill(this.element, this.#scroller, this.#counted, this.#compared);
    }
    this.#drawn = null;
    this.#drawRows();
  }

  /** How many rows there are, as far as it is known. */
  #count() {
    const { length } = this.rows;
    if (length === 0) return this.#isFiltered() ? "Nothing matches the filter." : this.#options.empty;
    if (this.#next !== null) return `The first ${count(length)} rows; more when you scroll on.`;
    return length === 1 ? "1 row." : `${count(length)} rows.`;
  }

  #isFiltered() {
    const { parameters } = this.#options;
    return Object.entries(this.#parameters).some(([name, value]) => !(name in parameters) && value.length > 0);
  }

  #drawRows() {
    const { scrollTop, clientHeight } = this.#scroller;
    const fits = Math.ceil((clientHeight || 600) / ROW_PX);
    const first = Math.max(0, Math.floor(scrollTop / ROW_PX) - OVERSCAN_ROWS);
    const end = Math.min(this.rows.length, first + fits + 2 * OVERSCAN_ROWS);
    if (end > this.rows.length - PAGE_ROWS / 2) this.#readOn();
    if (this.#drawn?.first === first && this.#drawn.end === end) return;
    this.#drawn = { first, end };
    const columns = this.#columns;
    const shown = this.rows.slice(first, end).map((row, at) => bodyRow(columns, row, { "aria-rowindex": first + at + 2 }));
    const rows = [this.#space(first, columns), shown, this.#space(this.rows.length - end, columns)];
    const content = frame(this.#options.caption, this.#head(columns), rows, "scroll");
    content.setAttribute("aria-rowcount", this.#next === null ? this.rows.length + 1 : -1);
    fill(this.#scroller, content);
    this.#scroller.scrollTop = scrollTop;
  }

  /** Holds the place of rows that are not in sight. */
  #space(rows, columns) {
    if (rows === 0) return null;
    const cell = h("td", { class: "space", colspan: columns.length });
    cell.style.height = `${rows * ROW_PX}px`;
    return h("tr", { "aria-hidden": "true" }, cell);
  }

  #head(columns) {
    return h("tr", { role: "row", "aria-rowindex": 1 }, columns.map((column) => this.#headCell(column)));
  }

  #headCell(column) {
    if (!column.sort) return plainHead(column);
    const direction = this.#order === "asc" ? "ascending" : "descending";
    const click = () => this.#sortBy(column.sort);
    const button = h("button", { "data-key": `sort-${column.key}`, on: { click } }, column.label);
    return headCell(column, { "aria-sort": column.sort === this.#sort && direction }, button);
  }

  #sortBy(key) {
    const reversed = this.#order === "asc" ? "desc" : "asc";
    this.#order = key === this.#sort ? reversed : bestFirst(key);
    this.#sort = key;
    return this.#again();
  }

  #compareColumn() {
    const cell = (row) => {
      const change = ({ target }) => this.#choose(row, target);
      const attributes = { type: "checkbox", checked: this.#chosen.has(row.id), "data-key": `compare-${row.id}` };
      return h("input", { ...attributes, "aria-label": `Compare ${this.#options.nameOf(row)}`, on: { change } });
    };
    return { key: "compare", label: "Compare", cell };
  }

  #choose(row, box) {
    if (box.checked && this.#chosen.size === MOST_COMPARED) {
      box.checked = false;
      notify(`Up to ${MOST_COMPARED} are compared at a time.`);
      return;
    }
    if (box.checked) this.#chosen.set(row.id, row);
    else this.#chosen.delete(row.id);
    const rows = [...this.#chosen.values()];
    fill(this.#compared, rows.length > 1 && this.#options.compare(rows));
  }

  controls() {
    const save = (kind) => h("button", { on: { click: () => attempt(() => this.#save(kind)) } }, kind.toUpperCase());
    return h("span", { class: "controls" }, this.#columnChoice(), save("csv"), save("json"));
  }

  #columnChoice() {
    const boxes = this.#options.columns.slice(1).map(({ key, label }) => {
      const id = uniqueId("column");
      const change = ({ target }) => this.#show(key, target.checked);
      const box = h("input", { id, type: "checkbox", checked: !this.#hidden.has(key), on: { change } });
      return h("p", {}, box, h("label", { for: id }, label));
    });
    return h("details", { class: "menu" }, h("summary", {}, "Columns"), h("div", { class: "choices" }, boxes));
  }

  #show(key, shown) {
    if (shown) this.#hidden.delete(key);
    else this.#hidden.add(key);
    this.#drawn = null;
    if (this.rows.length) this.#drawRows();
  }

  async #save(kind) {
    const query = { ...this.#parameters, sort: this.#sort, order: this.#order };
    const { items } = await getAll(this.#options.path, query, { most: MOST_SAVED_ROWS, signal: this.#options.signal });
    const text = kind === "csv" ? toCsv(items) : JSON.stringify(items, null, 2);
    save(text, `${this.#options.path.slice(1)}.${kind}`);
    notify(`${count(items.length)} rows saved.`);
  }
}
