// @ts-check
// What a trial tried: its training settings and its augmentation policy.

import { send } from "../lib/api.js";
import { facts, panel } from "../lib/components.js";
import { h } from "../lib/dom.js";
import { percent, setting } from "../lib/format.js";
import { attempt } from "../lib/notices.js";
import { table } from "../lib/table.js";

/** @import { ArtifactView, Candidate, Operation, OperationUse } from "../types/api.d.ts" */
/** @import { Column } from "../types/dom.d.ts" */

/** These ignore their magnitude: see search/contract/augmentation.py. */
const WITHOUT_MAGNITUDE = ["Identity", "Invert", "AutoContrast", "Equalize", "HorizontalFlip", "VerticalFlip"];

/** @param {Candidate} candidate */
export function trainingPanel({ image_size, batch_size, learning_rate, optimizer }) {
  const settings = facts([
    ["Image side", `${image_size} px`],
    ["Batch size", batch_size],
    ["Learning rate", setting(learning_rate)],
    ["Optimizer", optimizer],
  ]);
  return panel("Training settings", null, settings);
}

/**
 * @param {Candidate} candidate
 * @param {Map<string, OperationUse>} uses by the name of an operation: how many of the study's best trials have it
 * @param {ArtifactView[]} artifacts of the trial
 */
export function augmentationPanel({ augmentation: { operations, max_ops, copies } }, uses, artifacts) {
  if (operations.length === 0) return panel("Augmentation", null, h("p", { class: "empty" }, "None."));
  const when = copies === 0 ? "drawn anew for every batch" : `made before training, ${copies} copies per image`;
  const added = max_ops > 0 ? `Up to ${max_ops} of these operations per image, besides flips` : "Flips";
  const words = `${added} and mixing; ${when}.`;
  const picture = artifacts.find(({ kind }) => kind === "augmentation");
  return panel("Augmentation", null, h("p", {}, words), picture && preview(picture), operationsTable(operations, uses));
}

/** @param {Operation[]} operations @param {Map<string, OperationUse>} uses */
function operationsTable(operations, uses) {
  /** @type {Column<Operation>[]} */
  const columns = [
    { label: "Operation", cell: ({ name }) => name },
    { label: "Probability", numeric: true, cell: ({ probability }) => setting(probability) },
    { label: "Magnitude", numeric: true, cell: magnitudeText },
  ];
  if (uses.size > 0) {
    /** @param {Operation} operation */
    const cell = ({ name }) => percent(uses.get(name)?.share_of_best);
    columns.push({ label: "In the study's best", numeric: true, cell });
  }
  return table({ caption: "Operations of the augmentation policy", columns, rows: operations });
}

/**
 * The picture's file needs the key where the server has one: it is fetched, then shown.
 *
 * @param {ArtifactView} artifact
 */
function preview({ id }) {
  const alt = "Some training images, and below each its augmented version";
  const image = h("img", { class: "augmentation", alt });
  attempt(async () => {
    const response = await send(`/artifacts/${id}`);
    image.src = URL.createObjectURL(await response.blob());
    image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
  });
  const caption = "Top: originals. Bottom: as the network sees them.";
  return h("figure", {}, image, h("figcaption", { class: "muted" }, caption));
}

/** @param {Operation} operation */
function magnitudeText({ name, magnitude }) {
  return WITHOUT_MAGNITUDE.includes(name) ? "–" : setting(magnitude);
}
