// @ts-check
// What the page tells its user: notices, words for screen readers, and errors.

import { byId, h } from "./dom.js";

/**
 * Say something to a screen reader.
 *
 * @param {string} text
 */
export function announce(text) {
  byId("announcer").textContent = text;
}

/**
 * Show a message until it is dismissed or another view is shown.
 *
 * @param {string} text
 */
export function notify(text, { error = false } = {}) {
  const notices = byId("notices");
  if (notices.querySelector("span")?.textContent === text) return;
  const dismiss = h("button", { "aria-label": "Dismiss", on: { click: () => notice.remove() } }, "×");
  /** @type {HTMLElement} */
  const notice = h("p", { class: error ? "notice error" : "notice" }, h("span", {}, text), dismiss);
  notices.replaceChildren(notice);
}

export function clearNotices() {
  byId("notices").replaceChildren();
}

/** @param {unknown} error */
export const messageOf = (error) => (error instanceof Error ? error.message : String(error));

/** @param {unknown} error */
export const isAbort = (error) => error instanceof DOMException && error.name === "AbortError";

/**
 * Do something; an error is shown, not thrown.
 *
 * @param {() => unknown} work
 * @returns {Promise<boolean>} whether it was done
 */
export async function attempt(work) {
  try {
    await work();
    return true;
  } catch (error) {
    if (!isAbort(error)) notify(messageOf(error), { error: true });
    return false;
  }
}
