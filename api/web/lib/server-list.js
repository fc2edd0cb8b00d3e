// @ts-check
// Lists that the server sorts and pages by cursor, however long: only the rows in sight are in the page.

import { getAll, getPage } from "./api.js";
import { Comparison } from "./comparison.js";
import { fill, h, uniqueId } from "./dom.js";
import { save, toCsv } from "./downloads.js";
import { count } from "./format.js";
import { bestFirst } from "./metrics.js";
import { announce, attempt, notify } from "./notices.js";
import { bodyRow, frame, headCell, plainHead } from "./table.js";

/** @import { Child, ListColumn } from "../types/dom.d.ts" */
/** @import { ItemOf } from "../types/http.d.ts" */

const FIRST_ROWS = 60;
const PAGE_ROWS = 200;
/** So many rows are read again when something changes; of more only the first page is. */
const MOST_LIVE_ROWS = 400;
const MOST_SAVED_ROWS = 1_000_000;
const OVERSCAN_ROWS = 12;
const ROW_PX = 37;

/**
 * @template {"/trials" | "/variants"} Path
 * @typedef {object} ListOptions
 * @property {string} caption
 * @property {Path} path of the list on the server
 * @property {Record<string, string>} parameters that always filter it
 * @property {ListColumn<ItemOf<Path>>[]} columns
 * @property {string} sort what it is sorted by at first
 * @property {string} empty what is said when there is no row
 * @property {(row: ItemOf<Path>) => string} [nameOf] what a row is called; needed to compare
 * @property {(rows: ItemOf<Path>[]) => Child} [compare] chosen rows side by side
 * @property {AbortSignal} signal
 */

/** @template {"/trials" | "/variants"} Path */
export class ServerList {
  /** @type {ItemOf<Path>[]} */
  rows = [];
  element = h("div", { class: "listing" });
  #options;
  /** @type {Record<string, string | string[]>} */
  #parameters;
  #sort;
  #order;
  /** The keys of the columns that are not shown. */
  #hidden;
  /** @type {Comparison<ItemOf<Path>> | null} */
  #comparison;
  /** The cursor of the next page. @type {string | null} */
  #next = null;
  /** Counts the reads: an answer that a later read has overtaken is dropped. */
  #turn = 0;
  #isReadingOn = false;
  /** @type {HTMLElement | null} */
  #scroller = null;
  /** The range of rows in the page. @type {{ first: number, end: number } | null} */
  #drawn = null;
  #counted = h("p", { class: "muted" });

  /** @param {ListOptions<Path>} options */
  constructor(options) {
    this.#options = options;
    this.#parameters = { ...options.parameters };
    this.#sort = options.sort;
    this.#order = bestFirst(options.sort);
    this.#hidden = new Set(options.columns.filter(({ extra }) => extra).map(({ key }) => key));
    const { compare, nameOf } = options;
    this.#comparison = compare && nameOf ? new Comparison(compare, nameOf) : null;
  }

  get #columns() {
    const shown = this.#options.columns.filter(({ key }) => !this.#hidden.has(key));
    return this.#comparison ? [...shown, this.#comparison.column] : shown;
  }

  /** Read again what is shown, unless that is far down. */
  async refresh() {
    if (this.rows.length > MOST_LIVE_ROWS && this.#scroller && this.#scroller.scrollTop > 0) return;
    await this.#read(null, Math.max(FIRST_ROWS, Math.min(this.rows.length, MOST_LIVE_ROWS)));
  }

  /**
   * Change parameters of the list; "" and an empty list leave one out.
   *
   * @param {Record<string, string | string[]>} changed
   */
  async filter(changed) {
    Object.assign(this.#parameters, changed);
    await this.#readFromTop();
    announce(this.#count());
  }

  #readFromTop() {
    this.#scroller?.scrollTo(0, 0);
    return attempt(() => this.#read(null, FIRST_ROWS));
  }

  /** @param {string | null} cursor @param {number} limit */
  async #read(cursor, limit) {
    const turn = (this.#turn += 1);
    const query = { ...this.#parameters, sort: this.#sort, order: this.#order, cursor, limit };
    const page = await getPage(this.#options.path, query, { signal: this.#options.signal });
    if (turn !== this.#turn) return;
    this.rows = cursor === null ? page.items : [...this.rows, ...page.items];
    this.#next = page.next;
    this.#draw();
  }

  /** Read the next page, when the last rows come into sight. */
  async #readOn() {
    if (this.#isReadingOn || this.#next === null) return;
    this.#isReadingOn = true;
    await attempt(() => this.#read(this.#next, PAGE_ROWS));
    this.#isReadingOn = false;
  }

  #draw() {
    const { caption } = this.#options;
    this.#counted.textContent = this.#count();
    const compared = this.#comparison?.element;
    if (this.rows.length === 0) {
      this.#scroller = null;
      fill(this.element, this.#counted, compared);
      return;
    }
    if (this.#scroller === null) {
      const on = { scroll: () => this.#drawRows() };
      this.#scroller = h("div", { class: "scroll long", role: "region", "aria-label": caption, tabindex: 0, on });
      fill(this.element, this.#scroller, this.#counted, compared);
    }
    this.#drawn = null;
    this.#drawRows();
  }

  /** How many rows there are, as far as the page has read them. */
  #count() {
    const { length } = this.rows;
    if (length === 0) return this.#isFiltered() ? "Nothing matches the filter." : this.#options.empty;
    if (this.#next !== null) return `The first ${count(length)} rows; scroll down for more.`;
    return length === 1 ? "1 row." : `${count(length)} rows.`;
  }

  #isFiltered() {
    const { parameters } = this.#options;
    return Object.entries(this.#parameters).some(([name, value]) => !(name in parameters) && value.length > 0);
  }

  #drawRows() {
    if (this.#scroller === null) return;
    const { scrollTop, clientHeight } = this.#scroller;
    const fits = Math.ceil((clientHeight || 600) / ROW_PX);
    const first = Math.max(0, Math.floor(scrollTop / ROW_PX) - OVERSCAN_ROWS);
    const end = Math.min(this.rows.length, first + fits + 2 * OVERSCAN_ROWS);
    if (end > this.rows.length - PAGE_ROWS / 2) this.#readOn();
    if (this.#drawn?.first === first && this.#drawn.end === end) return;
    this.#drawn = { first, end };
    const columns = this.#columns;
    const inSight = this.rows.slice(first, end);
    const rows = inSight.map((row, index) => bodyRow(columns, row, { "aria-rowindex": first + index + 2 }));
    const body = [spacer(first, columns.length), rows, spacer(this.rows.length - end, columns.length)];
    const content = frame(this.#options.caption, this.#head(columns), body, "scroll");
    content.setAttribute("aria-rowcount", String(this.#next === null ? this.rows.length + 1 : -1));
    fill(this.#scroller, content);
    this.#scroller.scrollTop = scrollTop;
  }

  /** @param {ListColumn<ItemOf<Path>>[]} columns */
  #head(columns) {
    const cells = columns.map((column) => this.#headCell(column));
    return h("tr", { role: "row", "aria-rowindex": 1 }, cells);
  }

  /** @param {ListColumn<ItemOf<Path>>} column */
  #headCell(column) {
    const { key, label, sort } = column;
    if (!sort) return plainHead(column);
    const direction = this.#order === "asc" ? "ascending" : "descending";
    const button = h("button", { "data-key": `sort-${key}`, on: { click: () => this.#sortBy(sort) } }, label);
    return headCell(column, { "aria-sort": sort === this.#sort && direction }, button);
  }

  /** @param {string} key */
  #sortBy(key) {
    const reversed = this.#order === "asc" ? "desc" : "asc";
    this.#order = key === this.#sort ? reversed : bestFirst(key);
    this.#sort = key;
    return this.#readFromTop();
  }

  /** The choice of columns, and buttons that save all rows. */
  controls() {
    /** @param {"csv" | "json"} format */
    const saver = (format) =>
      h("button", { on: { click: () => attempt(() => this.#save(format)) } }, format.toUpperCase());
    return h("span", { class: "controls" }, this.#columnChoice(), saver("csv"), saver("json"));
  }

  #columnChoice() {
    const boxes = this.#options.columns.slice(1).map(({ key, label }) => {
      const id = uniqueId("column");
      const change = () => this.#show(key, box.checked);
      /** @type {HTMLInputElement} */
      const box = h("input", { id, type: "checkbox", checked: !this.#hidden.has(key), on: { change } });
      return h("p", {}, box, h("label", { for: id }, label));
    });
    return h("details", { class: "menu" }, h("summary", {}, "Columns"), h("div", { class: "choices" }, boxes));
  }

  /** @param {string} key @param {boolean} shown */
  #show(key, shown) {
    if (shown) this.#hidden.delete(key);
    else this.#hidden.add(key);
    this.#drawn = null;
    if (this.rows.length) this.#drawRows();
  }

  /** @param {"csv" | "json"} format */
  async #save(format) {
    const { path, signal } = this.#options;
    const query = { ...this.#parameters, sort: this.#sort, order: this.#order };
    const { items } = await getAll(path, query, { most: MOST_SAVED_ROWS, signal });
    save(format === "csv" ? toCsv(items) : JSON.stringify(items, null, 2), `${path.slice(1)}.${format}`);
    notify(`${count(items.length)} rows saved.`);
  }
}

/** A row as high as those that are out of sight. @param {number} rows @param {number} columns */
function spacer(rows, columns) {
  if (rows === 0) return null;
  const cell = h("td", { class: "space", colspan: columns });
  cell.style.height = `${rows * ROW_PX}px`;
  return h("tr", { "aria-hidden": "true" }, cell);
}
