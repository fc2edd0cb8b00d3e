// @ts-check
// What the page has read of a study: read once, then kept up to date by its events.

import { get, getAll } from "./api.js";

/** @import { GrowthView, PointView, StudyView, VariantFront, VariantView } from "../types/api.d.ts" */
/** @import { EpochEnded, StudyEvent, TrialChanged } from "../types/events.d.ts" */
/** @import { MetricName } from "./metrics.js" */

/** Of more completed trials than this the server picks those that shape the charts; the tables show all of them. */
const MOST_DRAWN_TRIALS = 2000;
const MOST_DRAWN_VARIANTS = 1000;

/**
 * A trial as far as charts need it.
 *
 * @typedef {Pick<PointView, "id" | "number" | "state" | "role" | "family" | "host" | "metrics">} Trial
 */

export class StudyResults {
  study;
  /** Trials by id, in the order of their numbers. @type {Map<string, Trial>} */
  trials = new Map();
  /** @type {VariantView[]} */
  variants = [];
  /** The fronts of the variants, one for each host and runtime, with their picks. @type {VariantFront[]} */
  fronts = [];
  /** The variant to ship, by its id. @type {string | null} */
  recommended = null;
  /** The last epoch's event of each running trial, by the trial's id. @type {Map<string, EpochEnded>} */
  epochs = new Map();
  /** How many trials are completed, and whether all of these are in `trials`. */
  total = 0;
  complete = true;
  /** The hypervolume as it grew. @type {GrowthView[]} */
  growth = [];
  #signal;

  /** @param {StudyView} study @param {AbortSignal} signal */
  constructor(study, signal) {
    this.study = study;
    this.#signal = signal;
  }

  /** @param {string} id @param {AbortSignal} signal */
  static async of(id, signal) {
    return new StudyResults(await get(`/studies/${id}`, {}, { signal }), signal);
  }

  async readResults() {
    const running = /** @type {const} */ ({ study_id: this.study.id, state: "RUNNING", sort: "number", limit: 500 });
    const [trials] = await Promise.all([
      get("/trials", running, { signal: this.#signal }),
      this.readPoints({}),
      this.readVariants(),
    ]);
    for (const trial of trials.items) {
      const { family } = trial.assignment;
      this.trials.set(trial.id, { ...trial, family: typeof family === "string" ? family : null });
    }
  }

  /**
   * Read the completed trials; of very many, those that shape a chart of `x` and `y`.
   *
   * @param {{ x?: MetricName, y?: MetricName }} axes
   */
  async readPoints({ x, y }) {
    const query = { x, y, most: MOST_DRAWN_TRIALS };
    const points = await get(`/studies/${this.study.id}/points`, query, { signal: this.#signal });
    this.total = points.total;
    this.complete = points.items.length === points.total;
    this.growth = points.hypervolume;
    const running = [...this.trials.values()].filter(({ state }) => state === "RUNNING");
    this.trials = new Map([...points.items, ...running].map((trial) => [trial.id, trial]));
  }

  async readVariants() {
    const most = { most: MOST_DRAWN_VARIANTS, signal: this.#signal };
    const [variants, front] = await Promise.all([
      getAll("/variants", { study_id: this.study.id }, most),
      get(`/studies/${this.study.id}/pareto`, {}, { signal: this.#signal }),
    ]);
    this.variants = variants.items;
    this.fronts = front.variants;
    this.recommended = front.recommended;
  }

  /**
   * Take in events, which may be older than what has been read.
   *
   * @param {StudyEvent[]} events
   * @returns {Promise<Set<StudyEvent["kind"]>>} the kinds that brought news
   */
  async apply(events) {
    const news = new Set(events.filter((event) => this.#take(event)).map(({ kind }) => kind));
    if (news.has("variant") || news.has("test_scoring")) await this.readVariants();
    if (news.size > 0) await this.readStudy();
    return news;
  }

  async readStudy() {
    this.study = await get(`/studies/${this.study.id}`, {}, { signal: this.#signal });
  }

  /** @param {StudyEvent} event @returns {boolean} whether it brought news */
  #take(event) {
    if (event.kind === "trial") return this.#takeTrial(event);
    if (event.kind === "epoch") return this.#takeEpoch(event);
    if (event.kind === "variant") return !this.variants.some(({ id }) => id === event.id);
    return true;
  }

  /** @param {TrialChanged} event */
  #takeTrial({ trial_id: id, number, state, role, family, host, metrics }) {
    const before = this.trials.get(id);
    if (before && (before.state !== "RUNNING" || state === "RUNNING")) return false;
    this.epochs.delete(id);
    if (before || this.trials.size < MOST_DRAWN_TRIALS) {
      const measured = { ...before?.metrics, ...metrics };
      const kept = { role: before?.role ?? role ?? null, family: before?.family ?? family ?? null };
      this.trials.set(id, { id, number, state, ...kept, host: host ?? null, metrics: measured });
    } else {
      this.complete = false;
    }
    return true;
  }

  /** @param {EpochEnded} event */
  #takeEpoch(event) {
    if (this.trials.get(event.trial_id)?.state !== "RUNNING") return false;
    this.epochs.set(event.trial_id, event);
    return true;
  }
}
