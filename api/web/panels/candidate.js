// What a trial tried: its settings and its augmentation policy.

import { send } from "../lib/api.js";
import { attempt, facts, h, panel } from "../lib/dom.js";
import { percent, setting } from "../lib/format.js";
import { table } from "../lib/table.js";

/** These ignore their magnitude: see search/contract/augmentation.py. */
const WITHOUT_MAGNITUDE = ["Identity", "Invert", "AutoContrast", "Equalize", "HorizontalFlip", "VerticalFlip"];

export function settings({ image_size, batch_size, learning_rate, optimizer }) {
  return facts([
    ["Image side", `${image_size} px`],
    ["Batch", batch_size],
    ["Learning rate", setting(learning_rate)],
    ["Optimizer", optimizer],
  ]);
}

/** `uses` tells, by the name of an operation, how many of the study's best trials have it. */
export function augmentationPanel({ augmentation: { operations, max_ops, copies } }, uses, artifacts) {
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
  const picture = artifacts.find(({ kind }) => kind === "augmentation");
  return panel("Augmentation", null, h("p", {}, words), picture && pictureOf(picture), operationsTable);
}

/** The picture's file needs the key where the server has one: it is fetched, then shown. */
function pictureOf({ id }) {
  const image = h("img", { class: "augmentation", alt: "Some training images, and below each what the policy makes of it" });
  attempt(async () => {
    const response = await send(`/artifacts/${id}`);
    image.src = URL.createObjectURL(await response.blob());
    image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
  });
  return h("figure", {}, image, h("figcaption", { class: "muted" }, "Above as they are, below as they are trained on"));
}

function magnitudeText({ name, magnitude }) {
  return WITHOUT_MAGNITUDE.includes(name) ? "–" : setting(magnitude);
}
