// Plain data as YAML, the part of it that a study needs. Reading YAML is left to the server.

const PLAIN = /^[A-Za-z_./][\w ./+-]*$/;
const RESERVED = /^(true|false|yes|no|on|off|null|y|n|~)$/i;
const INDENT = "  ";

/** A mapping as YAML: short lists and mappings on one line, others a line an entry. */
export function toYaml(document) {
  return entries(document, "");
}

function entries(mapping, indent) {
  return Object.entries(mapping)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${indent}${scalar(key)}:${shown(value, indent)}\n`)
    .join("");
}

function shown(value, indent) {
  if (isScalar(value) || isShort(value)) return ` ${inline(value)}`;
  const inner = indent + INDENT;
  if (Array.isArray(value)) return value.map((item) => `\n${inner}- ${inline(item)}`).join("");
  return `\n${entries(value, inner).trimEnd()}`;
}

const isScalar = (value) => value === null || typeof value !== "object";

/** Fits on a line: a list of scalars, and a mapping without anything nested. */
function isShort(value) {
  const items = Object.values(value);
  return items.every(isScalar) && (Array.isArray(value) || items.length <= 3);
}

function inline(value) {
  if (isScalar(value)) return scalar(value);
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  return `{${Object.entries(value)
    .map(([key, item]) => `${scalar(key)}: ${inline(item)}`)
    .join(", ")}}`;
}

function scalar(value) {
  if (typeof value !== "string") return String(value);
  return PLAIN.test(value) && !RESERVED.test(value) && value.trim() === value ? value : JSON.stringify(value);
}
