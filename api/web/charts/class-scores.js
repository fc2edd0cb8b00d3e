// @ts-check
// How good a model is class by class: F1 per class, and the confusion matrix.

import { bar, panel } from "../lib/components.js";
import { h } from "../lib/dom.js";
import { count, fraction } from "../lib/format.js";
import { table } from "../lib/table.js";
import { chart } from "./plot.js";

/** @import { ConfusionSummaryView as ConfusionSummary, TrialDetail } from "../types/api.d.ts" */
/** @import { Column } from "../types/dom.d.ts" */
/** @import { Colours, Figure } from "./plot.js" */

/** More classes than this leave no room for numbers in the matrix. */
const MOST_NUMBERED_CLASSES = 20;
/** Rows of the tables where there are too many classes for a matrix. */
const MOST_ROWS = 100;

/**
 * The panel of a trial's scores per class, in the order of the study's classes; `update(trial)` draws it.
 *
 * @param {string[]} classes
 * @param {AbortSignal} signal
 */
export function scoresPanel(classes, signal) {
  const perClass = h("div", {});
  const plot = h("div", {});
  const largest = h("div", { hidden: true });
  /** Images by true and predicted class. @type {number[][]} */
  let confusion = [];
  const drawn = chart(plot, (colours) => confusionChart(classes, confusion, colours), { signal });
  const element = panel("Per class", null, h("div", { class: "columns" }, perClass, plot, largest));
  element.hidden = true;
  return {
    element,
    /** @param {TrialDetail} trial */
    update(trial) {
      const { confusion: matrix, confusion_summary: summary } = trial;
      const f1 = trial.per_class_f1 ?? [];
      element.hidden = matrix === null && !summary;
      plot.hidden = matrix === null;
      largest.hidden = !summary;
      if (summary) {
        perClass.replaceChildren(lowestTable(classes, summary.images, f1));
        largest.replaceChildren(confusionsTable(classes, summary));
      }
      if (matrix === null) return null;
      confusion = matrix;
      perClass.replaceChildren(classTable("F1 per class, on the validation split", rowsOf(classes, matrix.map(sum), f1)));
      return drawn.update();
    },
  };
}

/** @typedef {{ name: string, f1: number, images: number }} ClassRow */

/** @param {string[]} classes @param {number[]} images per class @param {number[]} f1 per class @returns {ClassRow[]} */
const rowsOf = (classes, images, f1) => classes.map((name, index) => ({ name, f1: f1[index], images: images[index] }));

/** @param {string[]} classes @param {number[]} images per class @param {number[]} f1 per class */
function lowestTable(classes, images, f1) {
  const present = rowsOf(classes, images, f1).filter((row) => row.images > 0);
  const lowest = present.sort((one, other) => one.f1 - other.f1).slice(0, MOST_ROWS);
  return classTable(`The ${lowest.length} of ${classes.length} classes with the lowest F1`, lowest);
}

/** @param {string} caption @param {ClassRow[]} rows */
function classTable(caption, rows) {
  /** @type {Column<ClassRow>[]} */
  const columns = [
    { label: "Class", cell: ({ name }) => name },
    { label: "F1", numeric: true, cell: ({ f1 }) => [bar(f1), fraction(f1)] },
    { label: "Images", numeric: true, cell: ({ images }) => count(images) },
  ];
  return table({ caption, columns, rows });
}

/** @param {string[]} classes @param {ConfusionSummary} summary */
function confusionsTable(classes, { largest, confusions }) {
  const rows = largest.slice(0, MOST_ROWS).map(([label, predicted, images]) => ({ label, predicted, images }));
  /** @type {Column<typeof rows[number]>[]} */
  const columns = [
    { label: "Class", cell: ({ label }) => classes[label] },
    { label: "Predicted as", cell: ({ predicted }) => classes[predicted] },
    { label: "Images", numeric: true, cell: ({ images }) => count(images) },
  ];
  return table({ caption: `The ${rows.length} largest of ${count(confusions)} confusions`, columns, rows });
}

/** @param {number[]} values */
const sum = (values) => values.reduce((total, value) => total + value, 0);

/** A heatmap's text is a matrix; @types/plotly.js has that of other traces. @param {number[][]} confusion */
const matrixText = (confusion) =>
  /** @type {string[]} */ (/** @type {unknown} */ (confusion.map((row) => row.map(String))));

/** @param {string[]} classes @param {number[][]} confusion @param {Colours} colours @returns {Figure} */
function confusionChart(classes, confusion, colours) {
  const hits = sum(confusion.map((row, index) => row[index]));
  return {
    traces: [
      {
        type: "heatmap",
        x: classes,
        y: classes,
        z: confusion.map((row) => row.map((images) => images / Math.max(sum(row), 1))),
        text: matrixText(confusion),
        texttemplate: classes.length <= MOST_NUMBERED_CLASSES ? "%{text}" : "",
        hovertemplate: "%{y} predicted as %{x}: %{text} images<extra></extra>",
        colorscale: [
          [0, colours.surface],
          [1, colours.accent],
        ],
        zmin: 0,
        zmax: 1,
        showscale: false,
      },
    ],
    x: { title: "Predicted", type: "category" },
    y: { title: "True class", type: "category", autorange: "reversed" },
    summary: `Of ${sum(confusion.map(sum))} images ${hits} are classified correctly.`,
  };
}
