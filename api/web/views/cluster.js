// The cluster: its nodes with their slots, and how much waits for them.

import { get } from "../lib/api.js";
import { attempt, clearNotices, fill, h, pause } from "../lib/dom.js";
import { count, measured } from "../lib/format.js";
import { table } from "../lib/table.js";

const REFRESH_MS = 5000;
const RESOURCES = [
  ["CPU", "Cores"],
  ["GPU", "GPUs"],
  ["compression", "Compression places"],
  ["benchmark_slot", "Benchmark slot"],
];
const QUEUES = [
  ["studies", "Studies"],
  ["compression_jobs", "Compression jobs"],
  ["trainings", "Trainings in full"],
  ["dataset_checks", "Checks of data sets"],
];
const STATES = ["QUEUED", "RUNNING", "PAUSED", "COMPLETED", "FAILED", "CANCELLED"];

export async function showCluster(root, _id, signal) {
  const content = h("div", {});
  const read = async () => fill(content, shown(await get("/cluster", {}, { signal })));
  await read();
  root.replaceChildren(h("div", { class: "page-head" }, h("h1", {}, "Cluster")), content);
  attempt(() => keepFresh(read, signal));
  return "Cluster";
}

async function keepFresh(read, signal) {
  let failed = false;
  for (;;) {
    await pause(REFRESH_MS, signal);
    if (document.hidden) continue;
    const done = await attempt(read);
    if (done && failed) clearNotices();
    failed = !done;
  }
}

function shown({ ray_url, nodes, queues }) {
  const dashboard = h("a", { href: ray_url, "data-key": "ray", rel: "noreferrer" }, "Ray's dashboard");
  return [
    h("section", { class: "panel" }, nodeTable(nodes), h("p", { class: "muted" }, "More of them is on ", dashboard, ".")),
    h("section", { class: "panel" }, queueTable(queues)),
  ];
}

function nodeTable(nodes) {
  const offered = RESOURCES.filter(([name]) => nodes.some(({ resources }) => name in resources));
  const columns = [
    { label: "Node", cell: ({ name, is_head }) => (is_head ? `${name} (head)` : name) },
    ...offered.map(([name, label]) => ({ label, numeric: true, cell: ({ resources }) => taken(resources[name]) })),
  ];
  return table({ caption: "Nodes, and how much of each is taken", columns, rows: nodes, narrow: "cards" });
}

function taken(resource) {
  if (!resource) return "–";
  return `${resource.used === null ? "?" : measured(resource.used)} of ${measured(resource.total)}`;
}

function queueTable(queues) {
  const states = STATES.filter((state) => QUEUES.some(([name]) => queues[name][state]));
  const columns = [
    { label: "Work", cell: ([, label]) => label },
    ...states.map((state) => ({ label: state.toLowerCase(), numeric: true, cell: ([name]) => count(queues[name][state] ?? 0) })),
  ];
  return table({ caption: "What waits, runs and has ended", columns, rows: QUEUES, narrow: "cards" });
}
