// @ts-check
// Numbers, times and states as people read them.

import { h } from "./dom.js";

const DASH = "–";
/** @type {Intl.NumberFormatOptions} */
const DIGITS = { minimumSignificantDigits: 3, maximumSignificantDigits: 3 };
const COMPACT = new Intl.NumberFormat("en", { notation: "compact", ...DIGITS });
const THREE_DIGITS = new Intl.NumberFormat("en", DIGITS);
const COUNT = new Intl.NumberFormat("en");
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB"];
/** @type {[unit: Intl.RelativeTimeFormatUnit, length_s: number][]} */
const AGES = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];

/** A number that may be missing as text: a dash then. @typedef {(value: number | null | undefined) => string} Format */

/** @param {(value: number) => string} format @returns {Format} */
const orDash = (format) => (value) => (value == null ? DASH : format(value));

/** F1, accuracy, probabilities: four decimals. */
export const fraction = orDash((value) => value.toFixed(4));
export const percent = orDash((value) => `${Math.round(100 * value)} %`);
/** Measured values have three digits, zeros too; settings only those they need. */
export const measured = orDash((value) => THREE_DIGITS.format(value));
export const setting = orDash((value) => String(Number(value.toPrecision(3))));
export const milliseconds = orDash((value) => `${measured(value)} ms`);
export const compact = orDash((value) => COMPACT.format(value));
export const count = orDash((value) => COUNT.format(value));

export const bytes = orDash((value) => {
  const power = Math.min(Math.floor(Math.log10(Math.max(value, 1)) / 3), BYTE_UNITS.length - 1);
  return `${measured(value / 1000 ** power)} ${BYTE_UNITS[power]}`;
});

/**
 * Seconds as "42 s", "3 min 5 s" or "2 h 4 min".
 *
 * @param {number} elapsed_s
 */
export function duration(elapsed_s) {
  const seconds = Math.round(elapsed_s);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/**
 * A time as how long it is ago, with the full date on hover.
 *
 * @param {string | null} text ISO 8601
 */
export function ago(text) {
  if (text === null) return DASH;
  const date = new Date(text);
  const age_s = (Date.now() - date.getTime()) / 1000;
  const [unit, length_s] = AGES.find(([, unit_s]) => age_s >= unit_s) ?? ["second", 1];
  const words = age_s < 5 ? "just now" : RELATIVE.format(-Math.floor(age_s / length_s), unit);
  return h("time", { datetime: text, title: date.toLocaleString() }, words);
}

/**
 * The last line of a reason: a traceback ends with what went wrong.
 *
 * @param {string | null | undefined} reason
 */
export function shortReason(reason) {
  return reason?.trim().split("\n").at(-1) ?? "";
}
