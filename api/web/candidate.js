// What a trial tried: the layers of its network, its settings and its augmentation policy.

import { facts, h, panel } from "./dom.js";
import { percent, setting } from "./format.js";
import { table } from "./table.js";

/** What the arguments of the known blocks mean, in order; those of others are shown without names. */
const ARGUMENTS = {
  Conv: ["width", "kernel", "stride", "padding", "groups", "activation"],
  DWConv: ["width", "kernel", "stride", "padding", "activation"],
  InvertedResidualv2: ["width", "expansion", "stride", "kernel"],
  FixedConv: ["width", "kernel"],
};

/** These ignore their magnitude: see search/augmentation.py. */
const WITHOUT_MAGNITUDE = ["Identity", "Invert", "AutoContrast", "Equalize", "HorizontalFlip", "VerticalFlip"];

export function architecturePanel({ architecture }) {
  const { backbone, depth_multiple, width_multiple, input_channels } = architecture;
  const rows = backbone.map(([repeat, block, values], at) => ({ at: at + 1, repeat, block, values }));
  const columns = [
    { label: "Layer", numeric: true, cell: ({ at }) => at },
    { label: "Block", cell: ({ repeat, block }) => [repeat > 1 && `${repeat} × `, h("code", {}, block)] },
    { label: "Arguments", cell: named },
  ];
  const multiples = facts([
    ["Input channels", input_channels],
    ["Depth multiple", depth_multiple],
    ["Width multiple", width_multiple],
  ]);
  return panel("Architecture", null, multiples, table({ caption: "Layers of the network, in order", columns, rows }));
}

function named({ block, values }) {
  const names = ARGUMENTS[block] ?? [];
  return values.map((value, at) => (names[at] ? `${names[at]} ${value ?? "auto"}` : String(value))).join(", ");
}

export function settings({ image_size, batch_size, learning_rate, optimizer }) {
  return facts([
    ["Image side", `${image_size} px`],
    ["Batch", batch_size],
    ["Learning rate", setting(learning_rate)],
    ["Optimizer", optimizer],
  ]);
}

/** `uses` tells, by the name of an operation, how many of the study's best trials have it. */
export function augmentationPanel({ augmentation: { operations, max_ops, copies } }, uses) {
  const columns = [
    { label: "Operation", cell: ({ name }) => name },
    { label: "Probability", numeric: true, cell: ({ probability }) => setting(probability) },
    { label: "Magnitude", numeric: true, cell: magnitudeText },
  ];
  if (uses.size > 0) {
    const inBest = ({ name }) => percent(uses.get(name)?.share_of_best);
    columns.push({ label: "In the study's best", numeric: true, cell: inBest });
  }
  if (operations.length === 0) return panel("Augmentation", null, h("p", { class: "empty" }, "None."));
  const made = copies === 0 ? "drawn anew for every batch" : `made ahead, ${copies} for each image`;
  const words = `Up to ${max_ops} of the operations an image, beside flips and mixing; ${made}.`;
  const operationsTable = table({ caption: "Operations of the augmentation policy", columns, rows: operations });
  return panel("Augmentation", null, h("p", {}, words), operationsTable);
}

function magnitudeText({ name, magnitude }) {
  return WITHOUT_MAGNITUDE.includes(name) ? "–" : setting(magnitude);
}
