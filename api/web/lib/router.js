// From the hash to a view, such as #/studies, #/studies/ID, #/trials/ID.
//
// A view is `async show(root, id, signal)`: it fills `root`, answers with the page's title, and stops whatever it
// started when `signal` aborts, which is when another view is shown.

import { clearNotices, h, isAbort } from "./dom.js";

const HOME = "#/studies";

export const studyLink = (id) => `#/studies/${id}`;
export const trialLink = (id) => `#/trials/${id}`;
export const datasetLink = (id) => `#/datasets/${id}`;

export function start(root, routes) {
  let leaving = new AbortController();

  async function navigate({ focus }) {
    leaving.abort();
    leaving = new AbortController();
    clearNotices();
    const { signal } = leaving;
    const hash = location.hash || HOME;
    const route = routes.find(({ pattern }) => pattern.test(hash));
    root.setAttribute("aria-busy", "true");
    try {
      if (!route) throw new Error(`There is no page ${hash}.`);
      const title = await route.show(root, route.pattern.exec(hash)[1], signal);
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

  addEventListener("hashchange", () => navigate({ focus: true }));
  navigate({ focus: false });
}

function failure(error, again) {
  return h(
    "section",
    { class: "panel" },
    h("h1", {}, "This page could not be shown"),
    h("pre", {}, error.message),
    h(
      "p",
      { class: "actions" },
      h("button", { on: { click: again } }, "Try again"),
      h("a", { href: HOME }, "All studies"),
    ),
  );
}
