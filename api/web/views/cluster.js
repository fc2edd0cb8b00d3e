// @ts-check
// The cluster: its nodes with their resources, and how much work waits for them.

import { get } from "../lib/api.js";
import { fill, h } from "../lib/dom.js";
import { count, setting } from "../lib/format.js";
import { attempt } from "../lib/notices.js";
import { keepFresh } from "../lib/polling.js";
import { STUDY_STATES } from "../lib/states.js";
import { table } from "../lib/table.js";

/** @import { ClusterView, NodeView } from "../types/api.d.ts" */
/** @import { Column } from "../types/dom.d.ts" */
/** @import { View } from "../lib/router.js" */

const REFRESH_MS = 5000;
const RESOURCES = [
  ["CPU", "Cores"],
  ["GPU", "GPUs"],
  ["compression", "Compression slots"],
  ["benchmark_slot", "Benchmark slot"],
];
const QUEUES = [
  ["studies", "Studies"],
  ["compression_jobs", "Compression jobs"],
  ["trainings", "Full trainings"],
  ["dataset_checks", "Data set checks"],
];

/** @type {View} */
export async function showCluster(root, _id, signal) {
  const content = h("div", {});
  const read = async () => fill(content, contentOf(await get("/cluster", {}, { signal })));
  await read();
  root.replaceChildren(h("div", { class: "page-head" }, h("h1", {}, "Cluster")), content);
  attempt(() => keepFresh(read, { period_ms: REFRESH_MS, signal }));
  return "Cluster";
}

/** @param {ClusterView} cluster */
function contentOf({ ray_url, nodes, queues }) {
  const dashboard = h("a", { href: ray_url, "data-key": "ray", rel: "noreferrer" }, "Ray's dashboard");
  return [
    h("section", { class: "panel" }, nodeTable(nodes), h("p", { class: "muted" }, "More details: ", dashboard, ".")),
    h("section", { class: "panel" }, queueTable(queues)),
  ];
}

/** @param {NodeView[]} nodes */
function nodeTable(nodes) {
  const offered = RESOURCES.filter(([name]) => nodes.some(({ resources }) => name in resources));
  /** @type {Column<NodeView>[]} */
  const columns = [
    { label: "Node", cell: ({ name, is_head }) => (is_head ? `${name} (head)` : name) },
    ...offered.map(([name, label]) => resourceColumn(name, label)),
  ];
  return table({ caption: "Nodes, and how much of each is in use", columns, rows: nodes, narrow: "cards" });
}

/** @param {string} name @param {string} label @returns {Column<NodeView>} */
const resourceColumn = (name, label) => ({
  label,
  numeric: true,
  cell: ({ resources }) => {
    const resource = resources[name];
    if (!resource) return "–";
    return `${resource.used === null ? "?" : setting(resource.used)} of ${setting(resource.total)}`;
  },
});

/** @param {ClusterView["queues"]} queues */
function queueTable(queues) {
  const states = STUDY_STATES.filter((state) => QUEUES.some(([name]) => queues[name][state]));
  /** @type {Column<string[]>[]} */
  const columns = [
    { label: "Work", cell: ([, label]) => label },
    ...states.map((state) => ({
      label: state.toLowerCase(),
      numeric: true,
      cell: (/** @type {string[]} */ [name]) => count(queues[name][state] ?? 0),
    })),
  ];
  return table({ caption: "Work that waits, runs and has ended", columns, rows: QUEUES, narrow: "cards" });
}
