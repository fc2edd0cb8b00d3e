// Elements without markup in strings: whatever comes from the server only ever becomes text.

/** An element with attributes, listeners (`on`) and children; a string becomes text, null and false nothing. */
export function h(tag, { on = {}, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener);
  element.append(...shown(children));
  return element;
}

/** Replace what is in `element`; the focus stays on what has the same data-key, or else within. */
export function fill(element, ...children) {
  const key = element.contains(document.activeElement) && document.activeElement.dataset.key;
  element.replaceChildren(...shown(children));
  if (!key) return;
  const same = element.querySelector(`[data-key="${CSS.escape(key)}"]`) ?? element.querySelector("a, button");
  same?.focus({ preventScroll: true });
}

function shown(children) {
  return children.flat(Infinity).filter((child) => child != null && child !== false);
}

let serial = 0;

/** An id that no other element has, for labels. */
export function uniqueId(name) {
  serial += 1;
  return `${name}-${serial}`;
}

/** A drop-down with its label. `options` are [value, text]. */
export function labelledSelect(label, options, chosen, onChange) {
  const id = uniqueId("select");
  const entries = options.map(([value, text]) => h("option", { value, selected: value === chosen }, text));
  const select = h("select", { id, on: { change: () => onChange(select.value) } }, entries);
  return h("span", { class: "field" }, h("label", { for: id }, label), select);
}

/** A section with a heading, and beside it its controls. */
export function panel(title, controls, ...children) {
  const id = uniqueId("heading");
  const head = h("div", { class: "panel-head" }, h("h2", { id }, title), h("div", { class: "controls" }, controls));
  return h("section", { class: "panel", "aria-labelledby": id }, head, children);
}

/** Terms with their values, from [term, value]; those without a value are left out. */
export function facts(pairs) {
  const known = pairs.filter(([, value]) => value != null);
  return h(
    "dl",
    { class: "facts" },
    known.map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value))),
  );
}

/** A share as a bar, beside the number that says it. */
export function bar(part) {
  return h("meter", { value: part, min: 0, max: 1, "aria-hidden": "true" });
}

/** Say something to a screen reader. */
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

/** Show a message until it is dismissed or another view is shown. */
export function notify(text, { error = false } = {}) {
  const notices = document.getElementById("notices");
  if (notices.querySelector("span")?.textContent === text) return;
  const dismiss = h("button", { "aria-label": "Dismiss", on: { click: () => notice.remove() } }, "×");
  const notice = h("p", { class: error ? "notice error" : "notice" }, h("span", {}, text), dismiss);
  notices.replaceChildren(notice);
}

export function clearNotices() {
  document.getElementById("notices").replaceChildren();
}

export const isAbort = (error) => error.name === "AbortError";

/** Do something; an error is shown, not thrown. Answers whether it was done. */
export async function attempt(work) {
  try {
    await work();
    return true;
  } catch (error) {
    if (!isAbort(error)) notify(error.message, { error: true });
    return false;
  }
}

/** Resolve after `delay_ms`, or reject when `signal` aborts. */
export function pause(delay_ms, signal) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, delay_ms);
    signal.addEventListener("abort", abort, { once: true });
  });
}
