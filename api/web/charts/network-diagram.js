// @ts-check
// A network as a diagram of its layers: as wide as their channels, and as high as their feature maps.

import { facts, panel } from "../lib/components.js";
import { h } from "../lib/dom.js";
import { compact, percent } from "../lib/format.js";

/** @import { Architecture, Candidate, LayerView } from "../types/api.d.ts" */

/** @typedef {Architecture["backbone"][number]} Line [how often it is repeated, block, arguments] */
/** Pixels for a channel, and for a pixel of a feature map. @typedef {{ channel_px: number, side_px: number }} Scale */

/**
 * The arguments of the built-in blocks, in order; those of others are shown without names.
 *
 * @type {Record<string, string[]>}
 */
const ARGUMENTS = {
  Conv: ["width", "kernel", "stride", "padding", "groups", "activation"],
  DWConv: ["width", "kernel", "stride", "padding", "activation"],
  InvertedResidualv2: ["width", "expansion", "stride", "kernel"],
  FixedConv: ["width", "kernel"],
};
const LARGEST_PX = 56;
const SMALLEST_PX = 3;

/**
 * @param {Candidate} candidate
 * @param {LayerView[] | null} layers the shapes and the costs of the backbone's lines; null if nobody measured them
 */
export function networkPanel({ architecture, image_size }, layers) {
  const { backbone, depth_multiple, width_multiple, input_channels } = architecture;
  const input = [input_channels, image_size, image_size];
  const scale = scaleOf([input, ...(layers ?? []).map(({ shape }) => shape)]);
  const total = { macs: sum(layers, "macs"), params: sum(layers, "params") };
  const multiples = facts([
    ["Input", shapeText(input)],
    ["Depth multiple", depth_multiple],
    ["Width multiple", width_multiple],
  ]);
  const rows = backbone.map((line, index) => row(line, layers?.[index], total, scale));
  return panel("Architecture", null, multiples, h("ol", { class: "network" }, rows));
}

/**
 * @param {Line} line
 * @param {LayerView | undefined} layer
 * @param {{ macs: number, params: number }} total
 * @param {Scale} scale
 */
function row([repeat, block, values], layer, total, scale) {
  const details = h("span", { class: "muted" }, argumentsText(block, values));
  const name = [repeat > 1 && `${repeat} × `, h("code", {}, block), " ", details];
  if (!layer) return h("li", {}, h("span", { class: "layer" }, name));
  return h(
    "li",
    {},
    h("span", { class: "map" }, featureMap(layer.shape, scale)),
    h("span", { class: "layer" }, name, h("br"), shapeText(layer.shape)),
    cost("MACs", layer.macs, total.macs),
    cost("params", layer.params, total.params),
  );
}

/** @param {string} block @param {unknown[]} values */
function argumentsText(block, values) {
  const names = ARGUMENTS[block] ?? [];
  return values.map((value, index) => (names[index] ? `${names[index]} ${value ?? "auto"}` : String(value))).join(", ");
}

/** @param {number[]} shape @param {Scale} scale */
function featureMap([channels, height], { channel_px, side_px }) {
  const style = `width: ${size(channels * channel_px)}px; height: ${size(height * side_px)}px`;
  return h("span", { class: "block", style, "aria-hidden": "true" });
}

/** @param {string} label @param {number} value @param {number} total */
function cost(label, value, total) {
  const part = total ? value / total : 0;
  const bar = h("span", { class: "bar", style: `width: ${100 * part}%`, "aria-hidden": "true" });
  return h("span", { class: "cost", title: `${percent(part)} of all ${label}` }, `${compact(value)} ${label}`, bar);
}

/** @param {number[][]} shapes @returns {Scale} */
function scaleOf(shapes) {
  /** @param {number} axis */
  const largest = (axis) => Math.max(...shapes.map((shape) => shape[axis] ?? 1));
  return { channel_px: LARGEST_PX / largest(0), side_px: LARGEST_PX / largest(1) };
}

/** @param {number} length_px */
const size = (length_px) => Math.max(SMALLEST_PX, Math.round(length_px));

/** @param {LayerView[] | null} layers @param {"macs" | "params"} cost */
const sum = (layers, cost) => (layers ?? []).reduce((total, layer) => total + layer[cost], 0);

/** @param {number[]} shape */
const shapeText = ([channels, height = 1, width = 1]) => `${channels} × ${height} × ${width}`;
