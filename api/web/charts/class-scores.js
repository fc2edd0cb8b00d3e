// @ts-check
// How good a model is class by class: F1 per class, and the confusion matrix.

import { bar, panel } from "../lib/components.js";
import { h } from "../lib/dom.js";
import { count, fraction } from "../lib/format.js";
import { table } from "../lib/table.js";
import { chart } from "./plot.js";

/** @import { TrialDetail } from "../types/api.d.ts" */
/** @import { Column } from "../types/dom.d.ts" */
/** @import { Colours, Figure } from "./plot.js" */

/** More classes than this leave no room for numbers in the matrix. */
const MOST_NUMBERED_CLASSES = 20;

/**
 * The panel of a trial's scores per class, in the order of the study's classes; `update(trial)` draws it.
 *
 * @param {string[]} classes
 * @param {AbortSignal} signal
 */
export function scoresPanel(classes, signal) {
  const perClass = h("div", {});
  const plot = h("div", {});
  /** Images by true and predicted class. @type {number[][]} */
  let confusion = [];
  const drawn = chart(plot, (colours) => confusionChart(classes, confusion, colours), { signal });
  const element = panel("Per class", null, h("div", { class: "columns" }, perClass, plot));
  element.hidden = true;
  return {
    element,
    /** @param {TrialDetail} trial */
    update(trial) {
      element.hidden = trial.confusion === null;
      if (trial.confusion === null) return null;
      confusion = trial.confusion;
      perClass.replaceChildren(classTable(classes, confusion, trial.per_class_f1 ?? []));
      return drawn.update();
    },
  };
}

/** @param {string[]} classes @param {number[][]} confusion @param {number[]} f1 per class */
function classTable(classes, confusion, f1) {
  const rows = classes.map((name, index) => ({ name, f1: f1[index], images: sum(confusion[index]) }));
  /** @type {Column<typeof rows[number]>[]} */
  const columns = [
    { label: "Class", cell: ({ name }) => name },
    { label: "F1", numeric: true, cell: ({ f1 }) => [bar(f1), fraction(f1)] },
    { label: "Images", numeric: true, cell: ({ images }) => count(images) },
  ];
  return table({ caption: "F1 per class, on the validation split", columns, rows });
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
