// @ts-check
// The log of a study's Ray job, in a dialog.

import { get } from "../lib/api.js";
import { h, uniqueId } from "../lib/dom.js";
import { attempt } from "../lib/notices.js";

/**
 * A button that shows the end of the log, with a link to Ray's dashboard, which has all of it.
 *
 * @param {string} studyId
 */
export function logButton(studyId) {
  return h("button", { "data-key": "log", on: { click: () => attempt(() => show(studyId)) } }, "Log");
}

/** @param {string} studyId */
async function show(studyId) {
  const { job, ray_url, text } = await get(`/studies/${studyId}/logs`);
  const heading = uniqueId("dialog");
  const dashboard = ray_url && h("a", { class: "button", href: ray_url, rel: "noreferrer" }, "Ray's dashboard");
  /** @type {HTMLElement} */
  const back = h("button", { on: { click: () => dialog.close() } }, "Back");
  const dialog = h(
    "dialog",
    { "aria-labelledby": heading },
    h("h2", { id: heading }, job ? `End of the log of ${job}` : "No Ray job has started yet"),
    text && h("pre", { tabindex: 0 }, text),
    h("p", { class: "actions" }, dashboard, back),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
