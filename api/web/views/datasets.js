// Data sets: their list, what a check found, and checking one.

import { get, post } from "../lib/api.js";
import { attempt, facts, fill, h, panel, pause } from "../lib/dom.js";
import { ago, badge, count, measured } from "../lib/format.js";
import { datasetLink } from "../lib/router.js";
import { table } from "../lib/table.js";

const POLL_MS = 1000;

export async function showDatasets(root, _id, signal) {
  const { items } = await get("/datasets", { limit: 200 }, { signal });
  const columns = [
    { label: "Data set", cell: ({ id, spec }) => h("a", { href: datasetLink(id), "data-key": id }, nameOf(spec)) },
    { label: "Source", cell: ({ spec }) => spec.source },
    { label: "State", cell: ({ state }) => badge(state) },
    { label: "Checked", cell: ({ finished_at }) => ago(finished_at) },
  ];
  const none = h("p", { class: "empty" }, "No data set has been checked yet: a new study's form does that.");
  const list = items.length ? table({ caption: "Data sets, newest first", columns, rows: items, narrow: "cards" }) : none;
  root.replaceChildren(h("div", { class: "page-head" }, h("h1", {}, "Data sets")), h("section", { class: "panel" }, list));
  return "Data sets";
}

export async function showDataset(root, id, signal) {
  const dataset = await get(`/datasets/${id}`, {}, { signal });
  const content = h("div", { class: "report" });
  const head = h("div", { class: "page-head" }, h("h1", {}, nameOf(dataset.spec)), badge(dataset.state));
  root.replaceChildren(head, h("section", { class: "panel" }, content));
  attempt(() => follow(dataset, content, signal));
  return nameOf(dataset.spec);
}

const nameOf = ({ path, name, source }) => path?.replace(/\/+$/, "").split("/").at(-1) || name || source;

/** A panel that checks the data set which `spec()` names. */
export function datasetCheck(spec, signal) {
  const content = h("div", { class: "report", role: "status" });
  const check = () => attempt(async () => follow(await post("/datasets", spec() ?? {}), content, signal));
  const button = h("button", { on: { click: check } }, "Check the images");
  return panel("Its images", button, content);
}

/** Shows what a check found, waiting for it. */
async function follow(dataset, content, signal) {
  while (["QUEUED", "RUNNING"].includes(dataset.state)) {
    fill(content, h("p", { class: "muted" }, `The check is ${dataset.state.toLowerCase()}: every image is read once.`));
    await pause(POLL_MS, signal);
    dataset = await get(`/datasets/${dataset.id}`, {}, { signal });
  }
  fill(content, dataset.report ? reportOf(dataset.report) : h("pre", {}, dataset.reason));
}

function reportOf({ ok, problems, classes, photos, imbalance, kinds, skipped, duplicates, leaks }) {
  const columns = [
    { label: "Class", cell: ({ name }) => name },
    { label: "Images", numeric: true, cell: ({ images }) => count(images) },
    { label: "Train", numeric: true, cell: ({ train }) => count(train) },
    { label: "Validation", numeric: true, cell: ({ validation }) => count(validation) },
    { label: "Samples", cell: ({ name, pictures }) => pictures.map((picture, at) => sample(name, picture, at)) },
  ];
  return [
    h("p", {}, ok ? "Nothing is wrong with it." : `${count(problems.length)} problems.`),
    problems.length > 0 && h("ul", {}, problems.map((problem) => h("li", {}, problem))),
    facts([
      ["Photos", count(photos)],
      ["Largest class to smallest", imbalance === null ? null : measured(imbalance)],
      ["Kinds", Object.keys(kinds).join(", ")],
      ["Not usable", skipped.length || null],
      ["Duplicates", duplicates.length || null],
      ["Leaks", leaks.length || null],
    ]),
    table({ caption: "Classes, with a few of their images", columns, rows: classes }),
  ];
}

function sample(name, picture, at) {
  return h("img", { class: "sample", src: `data:image/jpeg;base64,${picture}`, alt: `${name}, sample ${at + 1}`, loading: "lazy" });
}
