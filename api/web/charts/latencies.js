// @ts-check
// How the latencies of variants are distributed: the median with its interval, p90 and p99.

import { panel } from "../lib/components.js";
import { h } from "../lib/dom.js";
import { milliseconds } from "../lib/format.js";
import { latencyWithInterval } from "../lib/metrics.js";
import { chart } from "./plot.js";

/** @import { VariantView } from "../types/api.d.ts" */
/** @import { Colours, Figure, Trace } from "./plot.js" */

/**
 * The runs of a variant, all in ms.
 *
 * @typedef {{ low: number, median: number, high: number, p90: number, p99: number }} Quantiles
 */

/** The panel of the latencies of variants; `update(variants)` draws it. @param {AbortSignal} signal */
export function latenciesPanel(signal) {
  /** @type {VariantView[]} */
  let variants = [];
  const plot = h("div", {});
  const drawn = chart(plot, (colours) => latencyChart(variants, colours), { signal });
  const element = panel("Latencies of its variants", null, plot);
  return {
    element,
    /** @param {VariantView[]} changed */
    update(changed) {
      variants = changed.filter(({ metrics }) => metrics.latency_p90_ms !== undefined);
      element.hidden = variants.length === 0;
      return element.hidden ? null : drawn.update();
    },
  };
}

/** @param {VariantView} variant */
const nameOf = ({ recipe, runtime }) => `${recipe}, ${runtime}`;

/** @param {VariantView} variant @returns {Quantiles} */
function quantilesOf({ metrics, latency }) {
  const { latency_low_ms: low, latency_ms: median, latency_high_ms: high, latency_p90_ms: p90 } = metrics;
  return { low, median, high, p90, p99: typeof latency.p99_ms === "number" ? latency.p99_ms : p90 };
}

/** @param {VariantView[]} variants @param {Colours} colours @returns {Figure} */
function latencyChart(variants, colours) {
  const slowestFirst = variants.toSorted((one, other) => other.metrics.latency_ms - one.metrics.latency_ms);
  const names = slowestFirst.map(nameOf);
  const runs = slowestFirst.map(quantilesOf);
  /**
   * @param {string} name
   * @param {keyof Quantiles} from
   * @param {keyof Quantiles} to
   * @param {string} color
   * @returns {Trace}
   */
  const range = (name, from, to, color) => ({
    name,
    type: "bar",
    orientation: "h",
    y: names,
    base: runs.map((run) => run[from]),
    x: runs.map((run) => run[to] - run[from]),
    offsetgroup: "runs",
    hoverinfo: "skip",
    marker: { color },
  });
  const fastest = slowestFirst.at(-1);
  return {
    traces: [
      range("p90 to p99", "p90", "p99", colours.track),
      range("median to p90", "median", "p90", colours.info),
      {
        name: "median and its 95% interval",
        mode: "markers",
        y: names,
        x: runs.map(({ median }) => median),
        error_x: {
          type: "data",
          symmetric: false,
          array: runs.map(({ median, high }) => high - median),
          arrayminus: runs.map(({ median, low }) => median - low),
        },
        marker: { size: 9, color: colours.accent },
        hovertext: slowestFirst.map((variant, index) => hoverText(variant, runs[index])),
        hoverinfo: "text",
      },
    ],
    x: { title: "Latency (ms)", rangemode: "tozero" },
    y: { title: "" },
    summary: fastest
      ? `The fastest of ${variants.length} variants is ${nameOf(fastest)}: ${latencyWithInterval(fastest.metrics)}.`
      : "There is no variant yet.",
  };
}

/** @param {VariantView} variant @param {Quantiles} quantiles */
function hoverText(variant, { p90, p99 }) {
  const tail = `p90 ${milliseconds(p90)}, p99 ${milliseconds(p99)}`;
  return `${nameOf(variant)}\n${latencyWithInterval(variant.metrics)}\n${tail}`;
}
