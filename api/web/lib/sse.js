// Server-sent events off a fetched body: EventSource cannot send the key.
// https://html.spec.whatwg.org/multipage/server-sent-events.html, as far as our server uses it.

/** The events of a body as {event_id, kind, trial_id, at, ...}; null for a comment, which shows that it is alive. */
export async function* readEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (text + value).split("\n\n");
    text = blocks.pop();
    for (const block of blocks) yield parse(block);
  }
}

function parse(block) {
  const fields = new Map(block.split("\n").map(field));
  return fields.has("data") ? { event_id: Number(fields.get("id")), ...JSON.parse(fields.get("data")) } : null;
}

function field(line) {
  const at = line.indexOf(":");
  return [line.slice(0, at), line.slice(at + 1).replace(/^ /, "")];
}
