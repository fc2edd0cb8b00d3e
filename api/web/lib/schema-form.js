// @ts-check
// A form from a JSON Schema: a field for each value that a form can hold; the rest is for the YAML.

import { h, uniqueId } from "./dom.js";

/** @import { Attributes, Listeners } from "../types/dom.d.ts" */

/**
 * The part of JSON Schema that pydantic writes and the form reads.
 *
 * @typedef {object} Schema
 * @property {string} [type]
 * @property {string} [$ref]
 * @property {Record<string, Schema>} [$defs]
 * @property {Schema[]} [anyOf]
 * @property {(string | number)[]} [enum]
 * @property {Schema} [items]
 * @property {Record<string, Schema>} [properties]
 * @property {number} [minimum]
 * @property {number} [maximum]
 * @property {string} [description]
 * @property {unknown} [default]
 */

/**
 * Reads and writes what the fields of one section hold; undefined is the schema's default.
 *
 * @typedef {object} Access
 * @property {(name: string) => unknown} value
 * @property {(name: string, value: unknown) => void} change
 */

/** @typedef {HTMLInputElement | HTMLSelectElement} Control */
/** @typedef {{ name: string, value: unknown, change: Access["change"] }} Field a field's name and what it holds */

const SCALARS = ["string", "number", "integer", "boolean"];

/**
 * The fields of one section of a study.
 *
 * @param {Schema} section
 * @param {Schema} root has the definitions
 * @param {Access} access
 */
export function sectionFields(section, root, { value, change }) {
  return Object.entries(section.properties ?? {}).map(([name, schema]) =>
    fieldOf({ name, value: value(name), change }, resolved(schema, root)),
  );
}

/**
 * A schema without references, and of a choice the part that a form can hold.
 *
 * @param {Schema} schema
 * @param {Schema} root
 * @returns {Schema}
 */
export function resolved(schema, root) {
  const name = schema.$ref?.split("/").at(-1);
  const target = name ? { ...root.$defs?.[name], ...schema } : schema;
  if (!target.anyOf) return target;
  const parts = target.anyOf.map((part) => resolved(part, root)).filter(({ type }) => type !== "null");
  return { ...formPart(parts, root), description: target.description, default: target.default };
}

/** Of the parts of a choice a list of scalars, or else a scalar. @param {Schema[]} parts @param {Schema} root */
function formPart(parts, root) {
  for (const part of parts) {
    if (part.type !== "array" || !part.items) continue;
    const items = resolved(part.items, root);
    if (isScalar(items)) return { ...part, items };
  }
  return parts.find(isScalar);
}

/** @param {Schema} schema */
const isScalar = ({ type, enum: choices }) => Boolean(choices) || (type !== undefined && SCALARS.includes(type));

/** @param {Field} field @param {Schema} schema */
function fieldOf(field, schema) {
  const control = controlOf(field, schema);
  if (!control) return null;
  control.id = uniqueId("field");
  const text = hintOf(schema);
  const hint = text && h("small", { id: `${control.id}-hint`, class: "muted" }, text);
  if (hint) control.setAttribute("aria-describedby", hint.id);
  const label = h("label", { for: control.id }, field.name.replaceAll("_", " "));
  return h("p", { class: "field", "data-field": field.name }, label, control, hint);
}

/** What a field means, and of a field for several choices which there are. @param {Schema} schema */
function hintOf({ description, items }) {
  const choices = items?.enum && `one or more of ${items.enum.join(", ")}`;
  return [description, choices].filter(Boolean).join("; ");
}

/** @param {Field} field @param {Schema} schema @returns {Control | null} */
function controlOf({ name, value, change }, schema) {
  const { type, enum: choices, items } = schema;
  const held = value ?? schema.default;
  if (held !== null && typeof held === "object" && !Array.isArray(held)) return null;
  if (choices) return select(name, choices, held, change);
  if (type === "array" && items && isScalar(items)) {
    const texts = held === undefined ? "" : [held].flat().join(", ");
    const placeholder = "one or more, with commas";
    const attributes = { name, type: "text", value: texts, placeholder };
    return input(attributes, ({ value: typed }) => change(name, parse(typed, items)));
  }
  if (type === "boolean") {
    return input({ name, type: "checkbox", checked: Boolean(held) }, ({ checked }) => change(name, checked));
  }
  const text = held == null ? null : String(held);
  if (type === "integer" || type === "number") {
    const { minimum: min, maximum: max } = schema;
    const attributes = { name, type: "number", value: text, min, max, step: type === "integer" ? 1 : "any" };
    return input(attributes, ({ value: typed }) => change(name, typed === "" ? undefined : Number(typed)));
  }
  if (type !== "string") return null;
  return input({ name, type: "text", value: text }, ({ value: typed }) => change(name, typed || undefined));
}

/**
 * @param {Attributes<"input">} attributes
 * @param {(control: HTMLInputElement) => void} onChange
 */
function input(attributes, onChange) {
  /** @type {Listeners<"input">} */
  const on = { change: ({ currentTarget }) => onChange(currentTarget) };
  return h("input", { ...attributes, on });
}

/** @param {string} name @param {(string | number)[]} choices @param {unknown} held @param {Access["change"]} change */
function select(name, choices, held, change) {
  if (typeof held === "object") return null;
  const options = choices.map((choice) => h("option", { value: choice, selected: choice === held }, choice));
  /** @type {Listeners<"select">} */
  const on = { change: ({ currentTarget }) => change(name, currentTarget.value) };
  return h("select", { name, on }, options);
}

/** "64, 96" as [64, 96], and one value as itself. @param {string} text @param {Schema} items */
function parse(text, { type }) {
  const isNumber = type === "integer" || type === "number";
  const values = text
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => (isNumber && Number.isFinite(Number(part)) ? Number(part) : part));
  return values.length > 1 ? values : values[0];
}
