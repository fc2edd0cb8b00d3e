// A network as a diagram: its layers from the image to the classes, each as wide as its channels and as high as its map.

import { facts, h, panel } from "../lib/dom.js";
import { compact, percent } from "../lib/format.js";

/** What the arguments of the known blocks mean, in order; those of others are shown without names. */
const ARGUMENTS = {
  Conv: ["width", "kernel", "stride", "padding", "groups", "activation"],
  DWConv: ["width", "kernel", "stride", "padding", "activation"],
  InvertedResidualv2: ["width", "expansion", "stride", "kernel"],
  FixedConv: ["width", "kernel"],
};
const LARGEST_PX = 56;
const SMALLEST_PX = 3;

/** `layers` are the shapes and the costs of the backbone's lines, or null where they are not known. */
export function networkPanel({ architecture, image_size }, layers) {
  const { backbone, depth_multiple, width_multiple, input_channels } = architecture;
  const scale = scaleOf([[input_channels, image_size, image_size], ...(layers ?? []).map(({ shape }) => shape)]);
  const total = { macs: sum(layers, "macs"), params: sum(layers, "params") };
  const multiples = facts([
    ["Input", shapeText([input_channels, image_size, image_size])],
    ["Depth multiple", depth_multiple],
    ["Width multiple", width_multiple],
  ]);
  const rows = backbone.map((line, at) => row(line, layers?.[at], total, scale));
  return panel("Architecture", null, multiples, h("ol", { class: "network" }, rows));
}

function row([repeat, block, values], layer, total, scale) {
  const name = [repeat > 1 && `${repeat} × `, h("code", {}, block), " ", h("span", { class: "muted" }, named(block, values))];
  if (!layer) return h("li", {}, h("span", { class: "layer" }, name));
  return h(
    "li",
    {},
    h("span", { class: "map" }, drawn(layer.shape, scale)),
    h("span", { class: "layer" }, name, h("br"), shapeText(layer.shape)),
    cost("MACs", layer.macs, total.macs),
    cost("params", layer.params, total.params),
  );
}

function named(block, values) {
  const names = ARGUMENTS[block] ?? [];
  return values.map((value, at) => (names[at] ? `${names[at]} ${value ?? "auto"}` : String(value))).join(", ");
}

function drawn([channels, height], { channel_px, side_px }) {
  const style = `width: ${size(channels * channel_px)}px; height: ${size(height * side_px)}px`;
  return h("span", { class: "block", style, "aria-hidden": "true" });
}

function cost(label, value, total) {
  const share = total ? value / total : 0;
  const bar = h("span", { class: "bar", style: `width: ${100 * share}%`, "aria-hidden": "true" });
  return h("span", { class: "cost", title: `${percent(share)} of all ${label}` }, `${compact(value)} ${label}`, bar);
}

function scaleOf(shapes) {
  const largest = (at) => Math.max(...shapes.map((shape) => shape[at] ?? 1));
  return { channel_px: LARGEST_PX / largest(0), side_px: LARGEST_PX / largest(1) };
}

const size = (length_px) => Math.max(SMALLEST_PX, Math.round(length_px));
const sum = (layers, name) => (layers ?? []).reduce((total, layer) => total + layer[name], 0);
const shapeText = ([channels, height = 1, width = 1]) => `${channels} × ${height} × ${width}`;
