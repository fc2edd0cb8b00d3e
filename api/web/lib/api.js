// The server's HTTP: JSON in and out, problem documents as errors, and the key where the server has one.

import { ask } from "./dialogs.js";

const KEY = "seedleaf-key";

/** The server's refusal in its own words; `status` is 0 where it did not answer at all. */
export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.name = "ApiError";
    this.status = status;
  }
}

/** GET as JSON; parameters that are null or "" are left out, each of a list is one. */
export async function get(path, parameters = {}, { signal } = {}) {
  return (await send(withQuery(path, parameters), { signal })).json();
}

export async function post(path, body) {
  return (await send(path, { method: "POST", ...json(body) })).json();
}

/** POST a file as it is; answers with the response. */
export function sendFile(path, body) {
  return send(path, { method: "POST", body, headers: { "Content-Type": "application/octet-stream" } });
}

export async function patch(path, body) {
  return (await send(path, { method: "PATCH", ...json(body) })).json();
}

/** All items of a listing, page by page, until there are `most`; `complete` tells whether these are all. */
export async function getAll(path, parameters, { most, signal }) {
  const items = [];
  let cursor = null;
  do {
    const page = await get(path, { ...parameters, cursor, limit: 500 }, { signal });
    items.push(...page.items);
    cursor = page.next;
  } while (cursor && items.length < most);
  return { items, complete: cursor === null };
}

export const hasKey = () => sessionStorage.getItem(KEY) !== null;

/** The response to a request; asks for the key, once for all that wait for it, where the server wants one. */
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

async function request(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "The server does not answer. Is it still running?");
  }
}

async function problemOf(response) {
  try {
    return new ApiError(response.status, (await response.json()).detail);
  } catch {
    return new ApiError(response.status, `The server answered ${response.status} ${response.statusText}.`);
  }
}

let asking = null;

async function askForKey(problem, wrong) {
  asking ??= ask({
    title: "This server needs a key",
    text: wrong
      ? "The server does not know this key."
      : "`seedleaf key create NAME` makes one on the server. This tab keeps it until it is closed.",
    fields: [{ name: "key", label: "Key", type: "password" }],
    confirm: "Use this key",
  }).finally(() => (asking = null));
  const answer = await asking;
  if (answer === null) throw problem;
  sessionStorage.setItem(KEY, answer.key);
}

function withKey(options, key) {
  return key === null ? options : { ...options, headers: { ...options.headers, Authorization: `Bearer ${key}` } };
}

function json(body) {
  return body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
}

function withQuery(path, parameters) {
  const pairs = Object.entries(parameters).flatMap(([name, value]) => [value].flat().map((one) => [name, one]));
  const known = pairs.filter(([, value]) => value != null && value !== "");
  return known.length ? `${path}?${new URLSearchParams(known)}` : path;
}
