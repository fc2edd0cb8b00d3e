// Numbers, times and states as people read them.

import { h } from "./dom.js";

const DASH = "–";
const DIGITS = { minimumSignificantDigits: 3, maximumSignificantDigits: 3 };
const COMPACT = new Intl.NumberFormat("en", { notation: "compact", ...DIGITS });
const THREE_DIGITS = new Intl.NumberFormat("en", DIGITS);
const COUNT = new Intl.NumberFormat("en");
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB"];
const AGES = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];

const known = (format) => (value) => (value == null ? DASH : format(value));

export const share = known((value) => value.toFixed(4));
export const percent = known((value) => `${Math.round(100 * value)} %`);
/** Measured values have three digits, zeros too; settings only those they need. */
export const measured = known((value) => THREE_DIGITS.format(value));
export const setting = known((value) => String(Number(value.toPrecision(3))));
export const milliseconds = known((value) => `${measured(value)} ms`);
export const compact = known((value) => COMPACT.format(value));
export const count = known((value) => COUNT.format(value));

export const bytes = known((value) => {
  const power = Math.min(Math.floor(Math.log10(Math.max(value, 1)) / 3), BYTE_UNITS.length - 1);
  return `${measured(value / 1000 ** power)} ${BYTE_UNITS[power]}`;
});

/** Seconds as "42 s", "3 min 5 s" or "2 h 4 min". */
export function duration(elapsed_s) {
  const seconds = Math.round(elapsed_s);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** A time as how long it is ago, with the full date on hover. */
export function ago(text) {
  if (text === null) return DASH;
  const date = new Date(text);
  const age_s = (Date.now() - date) / 1000;
  const [unit, length_s] = AGES.find(([, unit_s]) => age_s >= unit_s) ?? ["second", 1];
  const words = age_s < 5 ? "just now" : RELATIVE.format(-Math.floor(age_s / length_s), unit);
  return h("time", { datetime: text, title: date.toLocaleString() }, words);
}

/** A state as a badge: its word, and a colour that adds to it. */
export function badge(state) {
  return h("span", { class: `badge ${state.toLowerCase()}` }, state.toLowerCase());
}

/** The last line of a reason: a traceback ends with what went wrong. */
export function shortReason(reason) {
  return reason?.trim().split("\n").at(-1) ?? "";
}
