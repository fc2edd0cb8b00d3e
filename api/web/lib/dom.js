// @ts-check
// Elements without markup in strings: whatever comes from the server only ever becomes text.

/** @import { Attributes, Child, Tag } from "../types/dom.d.ts" */

/**
 * An element with attributes, listeners (`on`) and children.
 *
 * @template {Tag} T
 * @param {T} tag
 * @param {Attributes<T>} [attributes]
 * @param {Child[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, { on = {}, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, String(value));
  }
  for (const [event, listener] of Object.entries(on)) {
    element.addEventListener(event, /** @type {EventListener} */ (listener));
  }
  element.append(...nodes(children));
  return element;
}

/**
 * Replace what is in `element`; the focus stays on what has the same data-key, or else within.
 *
 * @param {HTMLElement} element
 * @param {Child[]} children
 */
export function fill(element, ...children) {
  const focused = document.activeElement;
  const key = focused instanceof HTMLElement && element.contains(focused) && focused.dataset.key;
  element.replaceChildren(...nodes(children));
  if (!key) return;
  /** @type {HTMLElement | null} */
  const same = element.querySelector(`[data-key="${CSS.escape(key)}"]`) ?? element.querySelector("a, button");
  same?.focus({ preventScroll: true });
}

/** @param {readonly Child[]} children @returns {(Node | string)[]} */
function nodes(children) {
  return children.flatMap((child) => {
    if (child == null || child === false) return [];
    if (typeof child === "number") return [String(child)];
    return typeof child === "string" || child instanceof Node ? [child] : nodes(child);
  });
}

let serial = 0;

/**
 * An id that no other element has, for labels.
 *
 * @param {string} name
 */
export function uniqueId(name) {
  serial += 1;
  return `${name}-${serial}`;
}

/**
 * The element of index.html that has an id.
 *
 * @param {string} id
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`index.html has no element #${id}.`);
  return element;
}
