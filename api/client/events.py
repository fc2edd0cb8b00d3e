"""A study's events, parsed from a stream of server-sent events."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class StudyEvent:
    """An event of a study; ids increase.

    kind: study (state, reason), trial (number, state, reason, metrics), epoch (epoch, loss, f1, accuracy, elapsed_s),
    training (training_id, state, reason, f1), training_epoch (training_id, seed and what an epoch has), compression
    (job_id, recipe, state, reason), variant (id, recipe, runtime and metrics), budget, or action (action, by: what was
    asked with which key, its id and name). ``payload`` has the fields in brackets.
    """

    id: int
    kind: str
    trial_id: str | None
    at: datetime
    payload: dict[str, Any]


def parse_events(lines: Iterable[str]) -> Iterator[StudyEvent | None]:
    """The events in the lines of a stream; None for a comment, which a quiet stream sends as a sign of life.

    https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation, as far as our server
    uses it. An incomplete event at the end of the stream is dropped.
    """
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        if name:
            fields[name] = value.removeprefix(" ")
        elif line:
            yield None
        elif "data" in fields:
            yield _event(fields)
            fields = {}


def _event(fields: dict[str, str]) -> StudyEvent:
    payload = json.loads(fields["data"])
    return StudyEvent(
        id=int(fields["id"]),
        kind=payload.pop("kind"),
        trial_id=payload.pop("trial_id"),
        at=datetime.fromisoformat(payload.pop("at")),
        payload=payload,
    )
