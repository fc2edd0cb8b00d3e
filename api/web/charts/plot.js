// @ts-check
// Charts by plotly.js, in the colours of the page: loaded with the first chart, drawn again when the colours change.

import { messageOf } from "../lib/notices.js";

/** @import { Layout, LayoutAxis, PlotData, PlotlyHTMLElement } from "plotly.js" */

/** The page's colours by the names of their CSS variables. @typedef {Record<ColourName, string>} Colours */
/** @typedef {(typeof COLOUR_NAMES)[number]} ColourName */
/** An axis as plotly's, its title a string. @typedef {Omit<Partial<LayoutAxis>, "title"> & { title: string }} Axis */
/** @typedef {Partial<PlotData>} Trace */

/**
 * What a chart shows, and a sentence that says it to those who cannot see it. Its labels are plain texts, a hover text
 * with a newline between its lines: Plotly would take tags in names for markup, so `chart` escapes them all.
 *
 * @typedef {{ traces: Trace[], x: Axis, y: Axis, summary: string }} Figure
 */

const SOURCE = "/web/plotly/plotly.min.js";
const COLOUR_NAMES = /** @type {const} */ ([
  "text",
  "muted",
  "surface",
  "border",
  "accent",
  "info",
  "warning",
  "track",
]);
/** Where a trace has texts: its legend, labels, hover texts, and the categories of its axes. */
const LABELS = /** @type {const} */ (["name", "text", "hovertext", "x", "y"]);
/** Of more trials than this plotly.js draws ticks at whole numbers only. */
const FEW_TRIALS = 10;
const DARK = matchMedia("(prefers-color-scheme: dark)");
const TOUCH = matchMedia("(pointer: coarse)");

/** @type {Promise<Window["Plotly"]> | null} */
let loading = null;

function plotly() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = SOURCE;
    script.addEventListener("load", () => resolve(window.Plotly));
    script.addEventListener("error", () => reject(new Error(`The charts need ${SOURCE}, which did not load.`)));
    document.head.append(script);
  });
  return loading;
}

function palette() {
  const style = getComputedStyle(document.documentElement);
  const entries = COLOUR_NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]);
  return /** @type {Colours} */ (Object.fromEntries(entries));
}

/**
 * A chart in `element`. `update()` draws it; `onClick` gets the customdata of a point.
 *
 * @param {HTMLElement} element
 * @param {(colours: Colours) => Figure} draw
 * @param {{ signal: AbortSignal, onClick?: (customdata: string) => void }} options
 */
export function chart(element, draw, { signal, onClick }) {
  element.classList.add("chart");

  async function update() {
    const library = await plotly().catch((error) => {
      element.textContent = messageOf(error);
    });
    if (!library || signal.aborted) return;
    const colours = palette();
    const { traces, x, y, summary } = draw(colours);
    element.setAttribute("role", "img");
    element.setAttribute("aria-label", summary);
    const config = { displayModeBar: false, responsive: true };
    listen(await library.react(element, traces.map(withPlainLabels), layout(colours, x, y), config));
  }

  let isListening = false;
  /** @param {PlotlyHTMLElement} plot */
  function listen(plot) {
    if (isListening) return;
    isListening = true;
    plot.on("plotly_click", ({ points }) => {
      const chosen = points[0]?.customdata;
      if (typeof chosen === "string") onClick?.(chosen);
    });
    DARK.addEventListener("change", update, { signal });
    signal.addEventListener("abort", () => window.Plotly.purge(element), { once: true });
  }

  return { update };
}

/** What Plotly shows as this text: it takes tags and entities for markup. @param {string} text */
const plainLabel = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("\n", "<br>");

/**
 * A label, or lists of labels, as Plotly shows them; what is no text stays as it is.
 *
 * @template T
 * @param {T} value
 * @returns {T}
 */
function plain(value) {
  /** @type {unknown} */
  let shown = value;
  if (typeof value === "string") shown = plainLabel(value);
  else if (Array.isArray(value)) shown = value.map(plain);
  return /** @type {T} */ (shown);
}

/** The templates are our own, and what they are filled with is escaped. @param {Trace} trace @returns {Trace} */
function withPlainLabels(trace) {
  const escaped = LABELS.filter((name) => name in trace).map((name) => [name, plain(trace[name])]);
  return { ...trace, ...Object.fromEntries(escaped) };
}

/**
 * An axis of trials by their numbers, with ticks at whole numbers however few there are.
 *
 * @param {number[]} numbers
 * @returns {Axis}
 */
export const trialAxis = (numbers) => {
  const isShort = Math.max(...numbers, 0) < FEW_TRIALS;
  return { title: "Trial", rangemode: "tozero", dtick: isShort ? 1 : undefined };
};

/** @param {Colours} colours @param {Axis} x @param {Axis} y @returns {Partial<Layout>} */
function layout(colours, x, y) {
  /** @param {Axis} options @returns {Partial<LayoutAxis>} */
  const axis = (options) => ({
    gridcolor: colours.border,
    linecolor: colours.border,
    zeroline: false,
    automargin: true,
    ...options,
    ...(options.ticktext && { ticktext: plain(options.ticktext) }),
    title: { text: plain(options.title), standoff: 8 },
  });
  return {
    paper_bgcolor: "transparent",
    plot_bgcolor: "transparent",
    font: { family: "system-ui, sans-serif", size: 13, color: colours.text },
    margin: { l: 8, r: 12, t: 8, b: 8 },
    dragmode: TOUCH.matches ? false : "zoom",
    hovermode: "closest",
    hoverlabel: { bgcolor: colours.surface, bordercolor: colours.border, font: { color: colours.text }, align: "left" },
    legend: { orientation: "h", x: 0, y: 1, yanchor: "bottom", itemclick: false, itemdoubleclick: false },
    uirevision: `${x.title} ${y.title}`,
    xaxis: axis(x),
    yaxis: axis(y),
  };
}
