// @ts-check
// The list of studies: state, progress, best F1, and what can be done with each.

import { get } from "../lib/api.js";
import { labelledSelect } from "../lib/components.js";
import { fill, h } from "../lib/dom.js";
import { ago, fraction, milliseconds } from "../lib/format.js";
import { attempt } from "../lib/notices.js";
import { keepFresh } from "../lib/polling.js";
import { studyLink } from "../lib/router.js";
import { STUDY_STATES, badge, queuePlace, stateOptions } from "../lib/states.js";
import { table } from "../lib/table.js";
import { pace, progressBar } from "../panels/progress.js";
import { studyActions } from "../panels/study-actions.js";

/** @import { StudyState, StudyView } from "../types/api.d.ts" */
/** @import { Column } from "../types/dom.d.ts" */
/** @import { View } from "../lib/router.js" */

const PAGE_ROWS = 50;
const REFRESH_MS = 5000;

/** @type {View} */
export async function showStudies(root, _id, signal) {
  const list = new StudyList(signal);
  await list.read();
  const filter = labelledSelect("State", stateOptions(STUDY_STATES), "", (state) => list.filter(state));
  const create = h("a", { class: "button primary", href: "#/new" }, "New study");
  const head = h("div", { class: "page-head" }, h("h1", {}, "Studies"), filter, create);
  root.replaceChildren(head, h("section", { class: "panel" }, list.element));
  attempt(() => list.keepFresh());
  return "Studies";
}

class StudyList {
  element = h("div", {});
  #signal;
  /** @type {StudyState | ""} */
  #state = "";
  /** @type {StudyView[]} */
  #studies = [];
  /** The cursor of the next page. @type {string | null} */
  #next = null;

  /** @param {AbortSignal} signal */
  constructor(signal) {
    this.#signal = signal;
  }

  /** Read a page: the first one, or the one after those that are shown. @param {string | null} cursor */
  async read(cursor = null) {
    const state = this.#state;
    const page = await get("/studies", { state, cursor, limit: PAGE_ROWS }, { signal: this.#signal });
    if (state !== this.#state) return;
    this.#studies = cursor === null ? page.items : [...this.#studies, ...page.items];
    this.#next = page.next;
    this.#draw();
  }

  /** @param {StudyState | ""} state */
  filter(state) {
    this.#state = state;
    return attempt(() => this.read());
  }

  /** The server has events of one study only: the list is read again, unless it is paged far down. */
  keepFresh() {
    const isDue = () => this.#studies.length <= PAGE_ROWS;
    return keepFresh(() => this.read(), { period_ms: REFRESH_MS, signal: this.#signal, isDue });
  }

  #draw() {
    const more = () => attempt(() => this.read(this.#next));
    fill(
      this.element,
      this.#studies.length ? this.#table() : this.#nothing(),
      this.#next && h("p", { class: "actions" }, h("button", { "data-key": "more", on: { click: more } }, "More")),
    );
  }

  #table() {
    const changed = () => attempt(() => this.read());
    /** @type {Column<StudyView>[]} */
    const columns = [
      { label: "Study", cell: ({ id, name }) => h("a", { href: studyLink(id), "data-key": id }, name) },
      { label: "State", cell: (study) => [badge(study.state), queuePlace(study)] },
      { label: "Trials", cell: progressBar },
      { label: "Best F1", numeric: true, cell: ({ progress }) => fraction(progress.best_f1) },
      { label: "Fastest", numeric: true, cell: ({ progress }) => milliseconds(progress.least_latency_ms) },
      { label: "Pace", cell: pace },
      { label: "Created", cell: ({ created_at }) => ago(created_at) },
      { label: "Actions", cell: (study) => studyActions(study, changed, changed) },
    ];
    return table({ caption: "Studies, newest first", columns, rows: this.#studies, narrow: "cards" });
  }

  #nothing() {
    if (this.#state) return h("p", { class: "empty" }, `No study is ${this.#state.toLowerCase()}.`);
    const command = h("code", {}, "seedleaf study create");
    const form = h("a", { href: "#/new" }, "Create one here");
    return h("p", { class: "empty" }, "There is no study yet. ", form, ", or run ", command, ".");
  }
}
