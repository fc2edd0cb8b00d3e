// @ts-check
// Data sets: their list, and the report on one.

import { get } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { ago } from "../lib/format.js";
import { attempt } from "../lib/notices.js";
import { datasetLink } from "../lib/router.js";
import { badge, queuePlace } from "../lib/states.js";
import { table } from "../lib/table.js";
import { showReport } from "../panels/dataset-check.js";

/** @import { DatasetSpec, DatasetSummary } from "../types/api.d.ts" */
/** @import { Column } from "../types/dom.d.ts" */
/** @import { View } from "../lib/router.js" */

/** @type {View} */
export async function showDatasets(root, _id, signal) {
  const { items } = await get("/datasets", { limit: 200 }, { signal });
  const head = h("div", { class: "page-head" }, h("h1", {}, "Data sets"));
  root.replaceChildren(head, h("section", { class: "panel" }, items.length ? datasetTable(items) : nothing()));
  return "Data sets";
}

function nothing() {
  const form = h("a", { href: "#/new" }, "New study");
  return h("p", { class: "empty" }, "No data set has been checked yet. ", form, " has a button that checks one.");
}

/** @param {DatasetSummary[]} datasets */
function datasetTable(datasets) {
  /** @type {Column<DatasetSummary>[]} */
  const columns = [
    { label: "Data set", cell: ({ id, spec }) => h("a", { href: datasetLink(id), "data-key": id }, nameOf(spec)) },
    { label: "Source", cell: ({ spec }) => spec.source },
    { label: "State", cell: (dataset) => [badge(dataset.state), queuePlace(dataset)] },
    { label: "Checked", cell: ({ finished_at }) => ago(finished_at) },
  ];
  return table({ caption: "Data sets, newest first", columns, rows: datasets, narrow: "cards" });
}

/** @type {View} */
export async function showDataset(root, id, signal) {
  const dataset = await get(`/datasets/${id}`, {}, { signal });
  const content = h("div", { class: "report" });
  const head = h("div", { class: "page-head" }, h("h1", {}, nameOf(dataset.spec)), badge(dataset.state));
  root.replaceChildren(head, h("section", { class: "panel" }, content));
  attempt(() => showReport(dataset, content, signal));
  return nameOf(dataset.spec);
}

/** The last folder of its path, or else its name. @param {DatasetSpec} spec */
const nameOf = ({ path, name, source }) => path?.replace(/\/+$/, "").split("/").at(-1) || name || source;
