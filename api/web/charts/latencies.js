// How the latencies of variants are distributed: from the median with its interval to where the slowest runs lie.

import { chart } from "./plot.js";
import { h, panel } from "../lib/dom.js";
import { milliseconds } from "../lib/format.js";
import { latencyWithInterval } from "../lib/metrics.js";

/** The panel of the latencies of variants; `update(variants)` draws it. */
export function latenciesPanel(signal) {
  let variants = [];
  const plot = h("div", {});
  const drawn = chart(plot, (colours) => latencyChart(variants, colours), { signal });
  const element = panel("Latencies of its variants", null, plot);
  return {
    element,
    update(changed) {
      variants = changed.filter(({ metrics }) => metrics.latency_p90_ms !== undefined);
      element.hidden = variants.length === 0;
      return element.hidden ? null : drawn.update();
    },
  };
}

const nameOf = ({ recipe, runtime }) => `${recipe}, ${runtime}`;

/** Where runs of a variant lie: [low, median, high] of the median's interval, p90 and p99. */
function quantiles({ metrics, latency }) {
  return {
    low: metrics.latency_low_ms,
    median: metrics.latency_ms,
    high: metrics.latency_high_ms,
    p90: metrics.latency_p90_ms,
    p99: latency.p99_ms ?? metrics.latency_p90_ms,
  };
}

function latencyChart(variants, colours) {
  const slowestFirst = [...variants].sort((one, other) => other.metrics.latency_ms - one.metrics.latency_ms);
  const names = slowestFirst.map(nameOf);
  const runs = slowestFirst.map(quantiles);
  const range = (name, from, to, style) => ({
    name,
    type: "bar",
    orientation: "h",
    y: names,
    base: runs.map((run) => run[from]),
    x: runs.map((run) => run[to] - run[from]),
    offsetgroup: "runs",
    hoverinfo: "skip",
    marker: style,
  });
  const fastest = slowestFirst.at(-1);
  return {
    traces: [
      range("from p90 to p99", "p90", "p99", { color: colours.track }),
      range("from the median to p90", "median", "p90", { color: colours.info }),
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
        hovertext: slowestFirst.map((variant, at) => told(variant, runs[at])),
        hoverinfo: "text",
      },
    ],
    x: { title: "Latency at batch 1 (ms)", rangemode: "tozero" },
    y: { title: "" },
    summary: fastest
      ? `The fastest of ${variants.length} variants is ${nameOf(fastest)}: ${latencyWithInterval(fastest.metrics)}.`
      : "There is no variant yet.",
  };
}

function told(variant, { p90, p99 }) {
  const rest = `p90 ${milliseconds(p90)}, p99 ${milliseconds(p99)}`;
  return `${nameOf(variant)}<br>${latencyWithInterval(variant.metrics)}<br>${rest}`;
}
