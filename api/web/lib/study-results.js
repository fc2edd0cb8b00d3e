// What the page knows of a study: read once, then kept up to date by its events.

import { get, getAll } from "./api.js";

/** Of more completed trials than this the server picks those that shape the charts; the tables show all of them. */
const MOST_DRAWN_TRIALS = 2000;
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
  /** How many trials are completed, and whether all of these are in `trials`. */
  total = 0;
  complete = true;
  /** The hypervolume as it grew: {number, hypervolume}. */
  growth = [];
  #id;
  #signal;

  constructor(id, signal) {
    this.#id = id;
    this.#signal = signal;
  }

  async readResults() {
    const running = { study_id: this.#id, state: "RUNNING", sort: "number", limit: 500 };
    const [trials] = await Promise.all([
      get("/trials", running, { signal: this.#signal }),
      this.readPoints({}),
      this.readVariants(),
    ]);
    for (const trial of trials.items) this.trials.set(trial.id, trial);
  }

  /** The completed trials, of very many those that shape a chart of `x` and `y`. */
  async readPoints({ x, y }) {
    const query = { x, y, most: MOST_DRAWN_TRIALS };
    const points = await get(`/studies/${this.#id}/points`, query, { signal: this.#signal });
    this.total = points.total;
    this.complete = points.items.length === points.total;
    this.growth = points.hypervolume;
    const running = [...this.trials.values()].filter(({ state }) => state === "RUNNING");
    this.trials = new Map([...points.items, ...running].map((trial) => [trial.id, trial]));
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
