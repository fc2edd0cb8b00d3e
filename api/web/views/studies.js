// The list of studies: state, progress, best F1, and what can be done with each.

import { get } from "../lib/api.js";
import { studyActions } from "../panels/study-actions.js";
import { attempt, clearNotices, fill, h, labelledSelect, pause } from "../lib/dom.js";
import { ago, badge, count, duration, measured, milliseconds, share } from "../lib/format.js";
import { studyLink } from "../lib/router.js";
import { table } from "../lib/table.js";

const PAGE_ROWS = 50;
const REFRESH_MS = 5000;
const STATES = ["QUEUED", "RUNNING", "PAUSED", "COMPLETED", "FAILED", "CANCELLED"];

export async function showStudies(root, _id, signal) {
  const list = new StudyList(signal);
  await list.read();
  const filter = labelledSelect("State", stateOptions(STATES), "", (state) => list.filter(state));
  const create = h("a", { class: "button primary", href: "#/new" }, "New study");
  const head = h("div", { class: "page-head" }, h("h1", {}, "Studies"), filter, create);
  root.replaceChildren(head, h("section", { class: "panel" }, list.element));
  attempt(() => list.keepFresh());
  return "Studies";
}

export const stateOptions = (states) => [["", "all"], ...states.map((state) => [state, state.toLowerCase()])];

class StudyList {
  element = h("div", {});
  #signal;
  #state = "";
  #studies = [];
  #next = null;

  constructor(signal) {
    this.#signal = signal;
  }

  async read(cursor = null, limit = PAGE_ROWS) {
    const state = this.#state;
    const page = await get("/studies", { state, cursor, limit }, { signal: this.#signal });
    if (state !== this.#state) return;
    this.#studies = cursor === null ? page.items : [...this.#studies, ...page.items];
    this.#next = page.next;
    this.#draw();
  }

  filter(state) {
    this.#state = state;
    return attempt(() => this.read());
  }

  /** The server has events of one study only: the list is read again while it is looked at and not paged far down. */
  async keepFresh() {
    let failed = false;
    for (;;) {
      await pause(REFRESH_MS, this.#signal);
      if (document.hidden || this.#studies.length > PAGE_ROWS) continue;
      const done = await attempt(() => this.read());
      if (done && failed) clearNotices();
      failed = !done;
    }
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
    const columns = [
      { label: "Study", cell: ({ id, name }) => h("a", { href: studyLink(id), "data-key": id }, name) },
      { label: "State", cell: ({ state }) => badge(state) },
      { label: "Trials", cell: progressBar },
      { label: "Best F1", numeric: true, cell: ({ progress }) => share(progress.best_f1) },
      { label: "Fastest", numeric: true, cell: ({ progress }) => milliseconds(progress.least_latency_ms) },
      { label: "Pace", cell: pace },
      { label: "Created", cell: ({ created_at }) => ago(created_at) },
      { label: "Actions", cell: (study) => studyActions(study, changed) },
    ];
    return table({ caption: "Studies, newest first", columns, rows: this.#studies, narrow: "cards" });
  }

  #nothing() {
    if (this.#state) return h("p", { class: "empty" }, `No study is ${this.#state.toLowerCase()}.`);
    const command = h("code", {}, "seedleaf study create");
    const form = h("a", { href: "#/new" }, "Write one here");
    return h("p", { class: "empty" }, "There is no study yet. ", form, ", or run ", command, ".");
  }
}

/** How many trials have finished, as a bar and in words. */
export function progressBar({ name, progress: { finished, total } }) {
  const bar = h("progress", { value: Math.min(finished, total), max: total, "aria-label": `Trials of ${name}` });
  return h("span", { class: "progress" }, bar, ` ${count(finished)} of ${count(total)}`);
}

/** How fast trials finish, and how long the search will still take at that; null before the first has. */
export function pace({ state, phase, spec, search_elapsed_s, progress: { finished, total } }) {
  if (!finished || !search_elapsed_s) return null;
  const rate = `${measured((3600 * finished) / search_elapsed_s)} trials an hour`;
  if (state !== "RUNNING" || phase !== "SEARCH") return rate;
  const byTrials_s = (Math.max(total - finished, 0) * search_elapsed_s) / finished;
  const byTime_s = 60 * (spec.budget.max_minutes ?? Infinity) - search_elapsed_s;
  return `${rate}, ${duration(Math.max(Math.min(byTrials_s, byTime_s), 0))} left`;
}
