// @ts-check
// Files that the page makes: rows as CSV, and saving.

import { h } from "./dom.js";

/**
 * Save a text or a blob under a name.
 *
 * @param {string | Blob} content
 * @param {string} name
 */
export function save(content, name) {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content]));
  h("a", { href: url, download: name }).click();
  URL.revokeObjectURL(url);
}

/**
 * Trials or variants as CSV (RFC 4180): what is one value, each metric, and the best variant by its id.
 *
 * @param {object[]} rows
 */
export function toCsv(rows) {
  const flat = rows.map(flattened);
  const names = [...new Set(flat.flatMap(Object.keys))];
  const lines = [names, ...flat.map((row) => names.map((name) => row[name]))];
  return lines.map((line) => `${line.map(cell).join(",")}\r\n`).join("");
}

/**
 * @param {{ metrics?: Record<string, number>, best_variant?: { id: string } | null }} row
 * @returns {Record<string, unknown>}
 */
function flattened({ metrics, best_variant, ...row }) {
  const plain = Object.entries(row).filter(([, value]) => value === null || typeof value !== "object");
  return { ...Object.fromEntries(plain), ...metrics, ...(best_variant && { best_variant: best_variant.id }) };
}

/** @param {unknown} value */
function cell(value) {
  const isFormula = typeof value === "string" && /^[=+\-@\t\r]/.test(value); // a spreadsheet would run it
  const text = `${isFormula ? "'" : ""}${value ?? ""}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
