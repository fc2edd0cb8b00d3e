// @ts-check
// The server's HTTP: JSON in and out, problem documents as errors, and the key where the server has one.

import { ask } from "./dialogs.js";

/** @import { Problem } from "../types/api.d.ts" */
/** @import { Answer, Body, ItemOf, ListPath, Query } from "../types/http.d.ts" */

const KEY = "seedleaf-key";

/** The server's refusal in its own words; `status` is 0 where it did not answer at all. */
export class ApiError extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.name = "ApiError";
    this.status = status;
  }

  /** Whether the same request may succeed later: the server is away or broken, and did not refuse. */
  get isTemporary() {
    return this.status === 0 || this.status >= 500;
  }
}

/**
 * GET as JSON; parameters that are null or "" are left out, each item of a list is one.
 *
 * @template {string} Url
 * @param {Url} path
 * @param {Query<Url>} [parameters]
 * @param {{ signal?: AbortSignal }} [options]
 * @returns {Promise<Answer<Url, "get">>}
 */
export async function get(path, parameters, { signal } = {}) {
  return (await send(withQuery(path, parameters ?? {}), { signal })).json();
}

/**
 * @template {string} Url
 * @param {Url} path
 * @param {Body<Url, "post">} [body]
 * @returns {Promise<Answer<Url, "post">>}
 */
export async function post(path, body) {
  return (await send(path, { method: "POST", ...json(body) })).json();
}

/**
 * POST a file as it is.
 *
 * @template {string} Url
 * @param {Url} path
 * @param {Blob} body
 * @returns {Promise<Answer<Url, "post">>}
 */
export async function sendFile(path, body) {
  const headers = { "Content-Type": "application/octet-stream" };
  return (await send(path, { method: "POST", body, headers })).json();
}

/**
 * @template {string} Url
 * @param {Url} path
 * @param {Body<Url, "patch">} body
 * @returns {Promise<Answer<Url, "patch">>}
 */
export async function patch(path, body) {
  return (await send(path, { method: "PATCH", ...json(body) })).json();
}

/** DELETE, which answers with nothing. @param {string} path */
export async function remove(path) {
  await send(path, { method: "DELETE" });
}

/**
 * All items of a list, page by page, until there are `most`; `complete` tells whether these are all.
 *
 * @template {ListPath} Path
 * @param {Path} path
 * @param {Record<string, unknown>} parameters
 * @param {{ most: number, signal?: AbortSignal }} options
 */
export async function getAll(path, parameters, { most, signal }) {
  /** @type {ItemOf<Path>[]} */
  const items = [];
  /** @type {string | null} */
  let cursor = null;
  do {
    /** @type {{ items: ItemOf<Path>[], next: string | null }} */
    const page = await getPage(path, { ...parameters, cursor, limit: 500 }, { signal });
    items.push(...page.items);
    cursor = page.next;
  } while (cursor && items.length < most);
  return { items, complete: cursor === null };
}

/**
 * One page of a list whose path is not written at the call.
 *
 * @template {ListPath} Path
 * @param {Path} path
 * @param {Record<string, unknown>} parameters
 * @param {{ signal?: AbortSignal }} options
 * @returns {Promise<{ items: ItemOf<Path>[], next: string | null }>}
 */
export async function getPage(path, parameters, { signal }) {
  return (await send(withQuery(path, parameters), { signal })).json();
}

export const hasKey = () => sessionStorage.getItem(KEY) !== null;

/**
 * The response to a request; asks for the key, once for all that wait for it, where the server wants one.
 *
 * @param {string} path
 * @param {RequestInit} [options]
 */
export async function send(path, options = {}) {
  for (;;) {
    const key = sessionStorage.getItem(KEY);
    const response = await request(path, withKey(options, key));
    if (response.ok) return response;
    const problem = await problemOf(response);
    if (response.status !== 401) throw problem;
    if (sessionStorage.getItem(KEY) === key) await askForKey(problem, key !== null);
  }
}

/** @param {string} path @param {RequestInit} options */
async function request(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "The server does not answer. Is it still running?");
  }
}

/** @param {Response} response */
async function problemOf(response) {
  try {
    /** @type {Problem} */
    const problem = await response.json();
    return new ApiError(response.status, problem.detail);
  } catch {
    return new ApiError(response.status, `The server answered ${response.status} ${response.statusText}.`);
  }
}

/** The question for the key, while it is open. @type {ReturnType<typeof ask> | null} */
let open = null;

/** @param {ApiError} problem @param {boolean} wrong whether a key was sent and refused */
async function askForKey(problem, wrong) {
  open ??= ask({
    title: "This server needs a key",
    text: wrong
      ? `The server refused this key: ${problem.message}.`
      : "`seedleaf key create NAME` makes one on the server. This tab keeps it until it is closed.",
    fields: [{ name: "key", label: "Key", type: "password" }],
    confirm: "Use this key",
  }).finally(() => (open = null));
  const answer = await open;
  if (answer === null) throw problem;
  sessionStorage.setItem(KEY, answer.key);
}

/** @param {RequestInit} options @param {string | null} key @returns {RequestInit} */
function withKey(options, key) {
  return key === null ? options : { ...options, headers: { ...options.headers, Authorization: `Bearer ${key}` } };
}

/** @param {unknown} body @returns {RequestInit} */
function json(body) {
  return body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
}

/** @param {string} path @param {Record<string, unknown>} parameters */
function withQuery(path, parameters) {
  const pairs = Object.entries(parameters).flatMap(([name, value]) => [value].flat().map((item) => [name, item]));
  const present = pairs.filter(([, value]) => value != null && value !== "").map((pair) => pair.map(String));
  return present.length ? `${path}?${new URLSearchParams(present)}` : path;
}
