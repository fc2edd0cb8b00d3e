// Parallel coordinates: each trial a line through what it tried and what came of it.

import { get } from "./api.js";
import { chart } from "./charts.js";
import { h, panel } from "./dom.js";
import { readImportance } from "./importance.js";
import { METRICS } from "./metrics.js";
import { goalOf } from "./points.js";

const MOST_LINES = 500;
const MOST_PARAMETERS = 6;

/** The panel of a study's lines through its most important parameters and its objectives; `load()` reads them. */
export function parallelPanel(model, signal) {
  let found = null;
  const plot = h("div", {});
  const drawn = chart(plot, (colours) => parallelChart(model.study, found, colours), { signal });
  const element = panel("What was tried, and what came of it", null, h("div", { class: "scroll", tabindex: 0 }, plot));
  element.hidden = true;
  return {
    element,
    async load() {
      const { id, spec } = model.study;
      const { parameters } = await readImportance(id, spec.objectives[0].metric, signal);
      const names = parameters.slice(0, MOST_PARAMETERS).map(({ name }) => name);
      if (names.length === 0) return;
      found = { names, items: await read(id, names, signal) };
      element.hidden = false;
      await drawn.update();
    },
  };
}

async function read(id, names, signal) {
  const query = new URLSearchParams([...names.map((name) => ["parameter", name]), ["most", MOST_LINES]]);
  return (await get(`/studies/${id}/points?${query}`, {}, { signal })).items;
}

function parallelChart({ spec }, { names, items }, colours) {
  const [{ metric }] = spec.objectives;
  const objectives = spec.objectives.map((objective) => objective.metric);
  const known = items.filter(({ metrics }) => objectives.every((name) => name in metrics));
  const dark = goalOf(spec, metric) === "maximize";
  const dimensions = [
    ...names.map((name) => parameterAxis(name, known.map(({ parameters }) => parameters[name]))),
    ...objectives.map((name) => ({ label: METRICS[name].label, values: known.map(({ metrics }) => metrics[name]) })),
  ];
  const line = {
    color: known.map(({ metrics }) => metrics[metric]),
    colorscale: [
      [0, dark ? colours.track : colours.accent],
      [1, dark ? colours.accent : colours.track],
    ],
  };
  return {
    traces: [{ type: "parcoords", line, dimensions, labelangle: -12, labelside: "bottom" }],
    x: {},
    y: {},
    margin: { l: 60, r: 40, t: 24, b: 60 },
    summary: `${known.length} trials by ${names.join(", ")} and their objectives.`,
  };
}

/** Numbers as they are; anything else, and what was not drawn, by its place in the order of the values. */
function parameterAxis(name, values) {
  const label = name.split(".").at(-1);
  if (values.every((value) => typeof value === "number")) return { label, values };
  const texts = [...new Set(values.map(textOf))].toSorted((a, b) => a.localeCompare(b, "en", { numeric: true }));
  return {
    label,
    values: values.map((value) => texts.indexOf(textOf(value))),
    tickvals: texts.map((_, at) => at),
    ticktext: texts,
  };
}

const textOf = (value) => (value === null ? "–" : String(value));
