// A form from a JSON Schema: a field for each value that a form can hold; the rest is for the YAML.

import { h, uniqueId } from "./dom.js";

const SOURCES = /\b(folder|coco|torchvision|parquet|sklearn)\b(?=[:;]|$)/g;

/**
 * The fields of one section of a study. `value(name)` reads and `change(name, value)` writes what a field holds;
 * undefined is the schema's default.
 */
export function sectionFields(section, root, { value, change }) {
  return Object.entries(section.properties)
    .map(([name, schema]) => fieldOf(name, resolved(schema, root), { value: value(name), change }))
    .filter(Boolean);
}

/** A schema without references, and of a choice the part that a form can hold. */
export function resolved(schema, root) {
  const target = schema.$ref ? { ...root.$defs[schema.$ref.split("/").at(-1)], ...schema } : schema;
  if (!target.anyOf) return target;
  const parts = target.anyOf.map((part) => resolved(part, root)).filter(({ type }) => type !== "null");
  const list = parts.find(({ type, items }) => type === "array" && isScalar(resolved(items, root)));
  const chosen = list ? { ...list, items: resolved(list.items, root) } : parts.find(isScalar);
  return { ...(chosen ?? {}), description: target.description, default: target.default };
}

const isScalar = ({ type, enum: choices }) => Boolean(choices) || ["string", "number", "integer", "boolean"].includes(type);

function fieldOf(name, schema, options) {
  const control = controlOf(name, schema, options);
  if (!control) return null;
  const id = uniqueId("field");
  control.id = id;
  const hint = schema.description && h("small", { id: `${id}-hint`, class: "muted" }, schema.description);
  if (hint) control.setAttribute("aria-describedby", hint.id);
  const row = h("p", { class: "field" }, h("label", { for: id }, name.replaceAll("_", " ")), control, hint);
  row.dataset.sources = [...(schema.description ?? "").matchAll(SOURCES)].map(([source]) => source).join(" ");
  return row;
}

function controlOf(name, schema, { value, change }) {
  const { type, enum: choices, items, default: otherwise } = schema;
  const held = value ?? otherwise;
  const on = (read) => ({ change: ({ target }) => change(name, read(target)) });
  if (choices) return select(name, choices, held, on);
  if (type === "boolean") return h("input", { name, type: "checkbox", checked: held, on: on(({ checked }) => checked) });
  if (type === "integer" || type === "number") {
    const read = ({ value: text }) => (text === "" ? undefined : Number(text));
    const step = type === "integer" ? 1 : "any";
    return h("input", { name, type: "number", value: held, min: schema.minimum, max: schema.maximum, step, on: on(read) });
  }
  if (type === "string") {
    return h("input", { name, type: "text", value: held, on: on(({ value: text }) => text || undefined) });
  }
  if (type === "array" && items && isScalar(items)) {
    const read = ({ value: text }) => listOf(text, items);
    const texts = held === undefined ? "" : [held].flat().join(", ");
    return h("input", { name, type: "text", value: texts, placeholder: "one or more, with commas", on: on(read) });
  }
  return null;
}

function select(name, choices, held, on) {
  if (held !== undefined && typeof held === "object") return null;
  const options = choices.map((choice) => h("option", { value: choice, selected: choice === held }, choice));
  return h("select", { name, on: on(({ value }) => value) }, options);
}

/** "64, 96" as [64, 96], and one value as itself. */
function listOf(text, items) {
  const numbers = ["integer", "number"].includes(items.type);
  const values = text
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => (numbers && Number.isFinite(Number(part)) ? Number(part) : part));
  if (values.length === 0) return undefined;
  return values.length === 1 ? values[0] : values;
}
