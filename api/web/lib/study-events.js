// @ts-check
// The events of a study as they happen: one stream, opened again with the last event's id whenever it breaks.

import { ApiError, send } from "./api.js";
import { isAbort, notify } from "./notices.js";
import { pause } from "./polling.js";
import { readEvents } from "./sse.js";

/** @import { StudyEvent } from "../types/events.d.ts" */

const SETTLE_MS = 100;
const LEAST_BETWEEN_MS = 1000;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;
/** The server says something at least every 15 s. */
const SILENCE_MS = 40_000;

/**
 * Follow a study until `signal` aborts. `onEvents` gets the events since it was last called, at most once a second;
 * `onConnection` whether there is a connection. A hidden tab closes its connection: browsers allow few per host.
 *
 * @param {string} studyId
 * @param {{
 *   onEvents: (events: StudyEvent[]) => unknown,
 *   onConnection: (isConnected: boolean) => void,
 *   signal: AbortSignal,
 * }} options
 */
export async function watch(studyId, { onEvents, onConnection, signal }) {
  const add = batched(onEvents, signal);
  let last = 0;
  let retry_ms = FIRST_RETRY_MS;
  while (!signal.aborted) {
    await visible(signal);
    const connection = new Connection(signal);
    try {
      const headers = { "Last-Event-ID": String(last) };
      const response = await send(`/studies/${studyId}/events`, { headers, signal: connection.signal });
      onConnection(true);
      for await (const event of response.body ? readEvents(response.body) : []) {
        connection.heard();
        retry_ms = FIRST_RETRY_MS;
        if (event === null) continue;
        last = event.event_id;
        add(event);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError && !error.isTemporary) {
        notify(error.message, { error: true });
        return;
      }
    } finally {
      connection.close();
    }
    onConnection(false);
    if (document.hidden) continue;
    await pause(retry_ms, signal);
    retry_ms = Math.min(2 * retry_ms, LONGEST_RETRY_MS);
  }
}

/** One connection: ends with the view, when the tab is hidden, and when nothing was heard for long. */
class Connection {
  #controller = new AbortController();
  /** @type {number | undefined} */
  #silence;

  /** @param {AbortSignal} view */
  constructor(view) {
    const ended = { signal: this.#controller.signal };
    view.addEventListener("abort", () => this.close(), ended);
    document.addEventListener("visibilitychange", () => document.hidden && this.close(), ended);
    this.heard();
  }

  get signal() {
    return this.#controller.signal;
  }

  heard() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.close(), SILENCE_MS);
  }

  close() {
    clearTimeout(this.#silence);
    this.#controller.abort();
  }
}

/** Resolves once the tab is visible. @param {AbortSignal} signal @returns {Promise<void>} */
function visible(signal) {
  return new Promise((resolve, reject) => {
    if (!document.hidden) {
      resolve();
      return;
    }
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    document.addEventListener("visibilitychange", () => resolve(), { once: true, signal });
  });
}

/**
 * Gathers events and delivers them together. What cannot be delivered while the server is away is delivered later.
 *
 * @param {(events: StudyEvent[]) => unknown} deliver
 * @param {AbortSignal} signal
 */
function batched(deliver, signal) {
  /** @type {StudyEvent[]} */
  let waiting = [];
  let isRunning = false;

  async function run() {
    isRunning = true;
    await pause(SETTLE_MS, signal);
    while (waiting.length) {
      const batch = waiting;
      waiting = [];
      try {
        await deliver(batch);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.isTemporary) waiting = [...batch, ...waiting];
        else notify(error.message, { error: true });
      }
      await pause(LEAST_BETWEEN_MS, signal);
    }
    isRunning = false;
  }

  return (/** @type {StudyEvent} */ event) => {
    waiting.push(event);
    if (isRunning) return;
    run().catch((error) => {
      isRunning = false;
      if (!isAbort(error)) throw error;
    });
  };
}
