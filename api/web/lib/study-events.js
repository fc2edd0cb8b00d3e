// A study as it happens: one stream of its events, opened again with the last event's id whenever it breaks.

import { ApiError, send } from "./api.js";
import { isAbort, notify, pause } from "./dom.js";
import { readEvents } from "./sse.js";

const SETTLE_MS = 100;
const LEAST_BETWEEN_MS = 1000;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;
/** The server says something at least every 15 s. */
const SILENCE_MS = 40_000;

/**
 * Follow a study until `signal` aborts. `onEvents` gets the events since it was last called, at most once a second;
 * `onConnection` whether there is a connection. A hidden tab lets go of its connection: browsers have few to a host.
 */
export async function watch(studyId, { onEvents, onConnection, signal }) {
  const add = coalesced(onEvents, signal);
  let last = 0;
  let retry_ms = FIRST_RETRY_MS;
  while (!signal.aborted) {
    await shown(signal);
    const link = new Link(signal);
    try {
      const headers = { "Last-Event-ID": String(last) };
      const response = await send(`/studies/${studyId}/events`, { headers, signal: link.signal });
      onConnection(true);
      for await (const event of readEvents(response.body)) {
        link.alive();
        retry_ms = FIRST_RETRY_MS;
        if (event === null) continue;
        last = event.event_id;
        add(event);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError && error.status !== 0 && error.status < 500) {
        notify(error.message, { error: true });
        return;
      }
    } finally {
      link.close();
    }
    onConnection(false);
    if (document.hidden) continue;
    await pause(retry_ms, signal);
    retry_ms = Math.min(2 * retry_ms, LONGEST_RETRY_MS);
  }
}

/** One connection: ends with the view, when the tab is hidden, and when nothing was heard for long. */
class Link {
  #controller = new AbortController();
  #silence;

  constructor(view) {
    const ended = { signal: this.#controller.signal };
    view.addEventListener("abort", () => this.close(), ended);
    document.addEventListener("visibilitychange", () => document.hidden && this.close(), ended);
    this.alive();
  }

  get signal() {
    return this.#controller.signal;
  }

  alive() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.close(), SILENCE_MS);
  }

  close() {
    clearTimeout(this.#silence);
    this.#controller.abort();
  }
}

function shown(signal) {
  return new Promise((resolve, reject) => {
    if (!document.hidden) return resolve();
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    document.addEventListener("visibilitychange", resolve, { once: true, signal });
  });
}

/** Gathers events and delivers them together. What cannot be delivered while the server is away is delivered later. */
function coalesced(deliver, signal) {
  let waiting = [];
  let running = false;

  async function run() {
    running = true;
    await pause(SETTLE_MS, signal);
    while (waiting.length) {
      const batch = waiting;
      waiting = [];
      try {
        await deliver(batch);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.status === 0 || error.status >= 500) waiting = [...batch, ...waiting];
        else notify(error.message, { error: true });
      }
      await pause(LEAST_BETWEEN_MS, signal);
    }
    running = false;
  }

  return (event) => {
    waiting.push(event);
    if (running) return;
    run().catch((error) => {
      running = false;
      if (!isAbort(error)) throw error;
    });
  };
}
