// @ts-check
// Server-sent events off a fetched body: EventSource cannot send the key.
// https://html.spec.whatwg.org/multipage/server-sent-events.html, as far as our server uses it.

/** @import { StudyEvent } from "../types/events.d.ts" */

/**
 * The events of a body; null for a comment, which shows that the connection is alive.
 *
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 * @returns {AsyncGenerator<StudyEvent | null>}
 */
export async function* readEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (text + value).split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) yield parse(block);
  }
}

/** @param {string} block @returns {StudyEvent | null} */
function parse(block) {
  const fields = new Map(block.split("\n").map(field));
  const data = fields.get("data");
  return data === undefined ? null : { event_id: Number(fields.get("id")), ...JSON.parse(data) };
}

/** @param {string} line @returns {[name: string, value: string]} */
function field(line) {
  const colon = line.indexOf(":");
  return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")];
}
