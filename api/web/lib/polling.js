// @ts-check
// Waiting, and reading again and again what the server has no events for.

import { attempt, clearNotices } from "./notices.js";

/**
 * Resolve after `delay_ms`, or reject when `signal` aborts.
 *
 * @param {number} delay_ms
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export function pause(delay_ms, signal) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, delay_ms);
    signal.addEventListener("abort", abort, { once: true });
  });
}

/**
 * Call `read` every `period_ms` until `signal` aborts. A hidden tab waits, as does one that `isDue` says no for.
 *
 * @param {() => unknown} read
 * @param {{ period_ms: number, signal: AbortSignal, isDue?: () => boolean }} options
 */
export async function keepFresh(read, { period_ms, signal, isDue = () => true }) {
  let failed = false;
  for (;;) {
    await pause(period_ms, signal);
    if (document.hidden || !isDue()) continue;
    const done = await attempt(read);
    if (done && failed) clearNotices();
    failed = !done;
  }
}
