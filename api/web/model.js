// What the page knows of a study: read once, then kept up to date by its events.

import { get, getAll } from "./api.js";

/** So many trials are drawn; the tables show all of them. */
export const MOST_DRAWN_TRIALS = 2000;
const MOST_DRAWN_VARIANTS = 1000;

export class StudyModel {
  study;
  /** Trials by id, in the order of their numbers. */
  trials = new Map();
  variants = [];
  /** The fronts of the variants, one for each host and runtime, with their picks; and the one to ship. */
  fronts = [];
  recommended = null;
  /** The last epoch's event of each running trial, by the trial's id. */
  epochs = new Map();
  /** Whether all trials are in `trials`. */
  complete = true;
  #id;
  #signal;

  constructor(id, signal) {
    this.#id = id;
    this.#signal = signal;
  }

  async readResults() {
    const query = { study_id: this.#id, sort: "number", order: "asc" };
    const most = { most: MOST_DRAWN_TRIALS, signal: this.#signal };
    const [trials] = await Promise.all([getAll("/trials", query, most), this.readVariants()]);
    this.complete = trials.complete;
    for (const trial of trials.items) this.trials.set(trial.id, trial);
  }

  async readStudy() {
    this.study = await get(`/studies/${this.#id}`, {}, { signal: this.#signal });
  }

  async readVariants() {
    const most = { most: MOST_DRAWN_VARIANTS, signal: this.#signal };
    const [variants, front] = await Promise.all([
      getAll("/variants", { study_id: this.#id }, most),
      get(`/studies/${this.#id}/pareto`, {}, { signal: this.#signal }),
    ]);
    this.variants = variants.items;
    this.fronts = front.variants;
    this.recommended = front.recommended;
  }

  /** Take in events, which may be older than what is known; answers with the kinds that brought news. */
  async apply(events) {
    const news = new Set(events.filter((event) => this.#take(event)).map(({ kind }) => kind));
    if (news.has("variant")) await this.readVariants();
    if (news.size > 0) await this.readStudy();
    return news;
  }

  #take(event) {
    if (event.kind === "trial") return this.#takeTrial(event);
    if (event.kind === "epoch") return this.#takeEpoch(event);
    if (event.kind === "variant") return !this.variants.some(({ id }) => id === event.id);
    return true;
  }

  #takeTrial({ trial_id: id, number, state, reason, host, metrics }) {
    const known = this.trials.get(id);
    if (known && (known.state !== "RUNNING" || state === "RUNNING")) return false;
    this.epochs.delete(id);
    if (known || this.trials.size < MOST_DRAWN_TRIALS) {
      this.trials.set(id, { ...known, id, number, state, reason, host, metrics: { ...known?.metrics, ...metrics } });
    } else {
      this.complete = false;
    }
    return true;
  }

  #takeEpoch(event) {
    if (this.trials.get(event.trial_id)?.state !== "RUNNING") return false;
    this.epochs.set(event.trial_id, event);
    return true;
  }
}
