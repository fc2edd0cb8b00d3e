// @ts-check
// From the hash to a view, such as #/studies, #/studies/ID, #/trials/ID.

import { h } from "./dom.js";
import { clearNotices, isAbort, messageOf } from "./notices.js";

/**
 * A view fills `root`, answers with the page's title, and stops whatever it started when `signal` aborts, which is
 * when another view is shown. `id` is what the hash names, "" where the route names nothing.
 *
 * @typedef {(root: HTMLElement, id: string, signal: AbortSignal) => Promise<string>} View
 */
/** @typedef {{ pattern: RegExp, show: View }} Route the first group of `pattern` is the id */

const HOME = "#/studies";

/** @param {string} id */
export const studyLink = (id) => `#/studies/${id}`;
/** @param {string} id */
export const trialLink = (id) => `#/trials/${id}`;
/** @param {string} id */
export const datasetLink = (id) => `#/datasets/${id}`;

/** @param {HTMLElement} root @param {Route[]} routes */
export function start(root, routes) {
  let leaving = new AbortController();

  /** @param {{ focus: boolean }} options */
  async function navigate({ focus }) {
    leaving.abort();
    leaving = new AbortController();
    clearNotices();
    const { signal } = leaving;
    root.setAttribute("aria-busy", "true");
    try {
      const title = await show(location.hash || HOME, signal);
      document.title = `${title} · Seedleaf`;
    } catch (error) {
      if (isAbort(error)) return;
      document.title = "Seedleaf";
      root.replaceChildren(failure(error, () => navigate({ focus: true })));
    }
    root.removeAttribute("aria-busy");
    if (focus) {
      scrollTo(0, 0);
      root.focus({ preventScroll: true });
    }
  }

  /** @param {string} hash @param {AbortSignal} signal */
  function show(hash, signal) {
    for (const route of routes) {
      const match = route.pattern.exec(hash);
      if (match) return route.show(root, match[1] ?? "", signal);
    }
    throw new Error(`There is no page ${hash}.`);
  }

  addEventListener("hashchange", () => navigate({ focus: true }));
  navigate({ focus: false });
}

/** @param {unknown} error @param {() => void} again */
function failure(error, again) {
  return h(
    "section",
    { class: "panel" },
    h("h1", {}, "This page could not be shown"),
    h("pre", {}, messageOf(error)),
    h(
      "p",
      { class: "actions" },
      h("button", { on: { click: again } }, "Try again"),
      h("a", { href: HOME }, "All studies"),
    ),
  );
}
