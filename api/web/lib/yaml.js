// @ts-check
// Plain data as YAML, the part of it that a study needs. Reading YAML is left to the server.

/** @typedef {{ [key: string]: unknown }} Mapping plain data, as JSON has it; an entry that is undefined is left out */

const PLAIN = /^[A-Za-z_./][\w ./+-]*$/;
const RESERVED = /^(true|false|yes|no|on|off|null|y|n|~)$/i;
const INDENT = "  ";

/**
 * A mapping as YAML: short lists and mappings on one line, others one line per entry.
 *
 * @param {Mapping} mapping
 */
export function toYaml(mapping) {
  return block(mapping, "");
}

/** @param {Mapping} mapping @param {string} indent @returns {string} */
function block(mapping, indent) {
  return Object.entries(mapping)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${indent}${scalar(key)}:${entry(value, indent)}\n`)
    .join("");
}

/** @param {unknown} value @param {string} indent @returns {string} */
function entry(value, indent) {
  if (!isObject(value) || isShort(value)) return ` ${inline(value)}`;
  const inner = indent + INDENT;
  if (Array.isArray(value)) return value.map((item) => `\n${inner}- ${inline(item)}`).join("");
  return `\n${block(value, inner).trimEnd()}`;
}

/** @param {unknown} value @returns {value is Mapping} a list, too */
const isObject = (value) => value !== null && typeof value === "object";

/** Fits on a line: a list of scalars, and a mapping without anything nested. @param {Mapping} value */
function isShort(value) {
  const items = Object.values(value);
  return !items.some(isObject) && (Array.isArray(value) || items.length <= 3);
}

/** @param {unknown} value @returns {string} */
function inline(value) {
  if (!isObject(value)) return scalar(value);
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  return `{${Object.entries(value)
    .map(([key, item]) => `${scalar(key)}: ${inline(item)}`)
    .join(", ")}}`;
}

/** @param {unknown} value */
function scalar(value) {
  if (typeof value !== "string") return String(value);
  return PLAIN.test(value) && !RESERVED.test(value) && value.trim() === value ? value : JSON.stringify(value);
}
