// How good a model is class by class: its F1, and what it takes for what.

import { chart } from "./plot.js";
import { bar, h, panel } from "../lib/dom.js";
import { count, share } from "../lib/format.js";
import { table } from "../lib/table.js";

/** The panel of a trial's scores by class, in the order of the study's classes; `update(trial)` draws it. */
export function scoresPanel(classes, signal) {
  const byClass = h("div", {});
  const plot = h("div", {});
  let confusion = null;
  const drawn = chart(plot, (colours) => confusionChart(classes, confusion, colours), { signal });
  const element = panel("By class", null, h("div", { class: "columns" }, byClass, plot));
  element.hidden = true;
  return {
    element,
    update(trial) {
      confusion = trial.confusion;
      element.hidden = confusion === null;
      if (confusion === null) return null;
      byClass.replaceChildren(classTable(classes, trial));
      return drawn.update();
    },
  };
}

function classTable(classes, { per_class_f1, confusion }) {
  const rows = classes.map((name, at) => ({ name, f1: per_class_f1[at], images: sum(confusion[at]) }));
  const columns = [
    { label: "Class", cell: ({ name }) => name },
    { label: "F1", numeric: true, cell: ({ f1 }) => [bar(f1), share(f1)] },
    { label: "Images", numeric: true, cell: ({ images }) => count(images) },
  ];
  return table({ caption: "F1 by class, on the validation split", columns, rows });
}

const sum = (values) => values.reduce((total, value) => total + value, 0);

function confusionChart(classes, confusion, colours) {
  const shares = confusion.map((row) => row.map((value) => value / Math.max(sum(row), 1)));
  const hits = sum(confusion.map((row, at) => row[at]));
  return {
    traces: [
      {
        type: "heatmap",
        x: classes,
        y: classes,
        z: shares,
        text: confusion.map((row) => row.map(String)),
        texttemplate: classes.length <= 20 ? "%{text}" : "",
        hovertemplate: "%{y} taken for %{x}: %{text} images<extra></extra>",
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
