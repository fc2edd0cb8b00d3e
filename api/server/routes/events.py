"""Server-sent events of a study: https://html.spec.whatwg.org/multipage/server-sent-events.html."""

import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import StreamingResponse

from api.server.state import AppState, State
from services.views import studies

router = APIRouter(prefix="/studies", tags=["studies"])


@router.get("/{study_id}/events", response_class=StreamingResponse)
def stream_events(
    study_id: str, state: State, after: int = 0, last_event_id: Annotated[int | None, Header()] = None
) -> StreamingResponse:
    """State changes, trials, epochs, compression jobs and variants, from the first or after an event's id.

    503 with Retry-After if too many streams are open.
    """
    state.feed.require_place()
    with state.engine.connect() as connection:
        studies.require(connection, study_id)
    start = last_event_id if last_event_id is not None else after
    return StreamingResponse(
        _stream(state, study_id, start), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


async def _stream(state: AppState, study_id: str, after: int) -> AsyncIterator[str]:
    async for event in state.feed.watch(study_id, after):
        if event is None:
            yield ": still here\n\n"
            continue
        at = event.created_at.isoformat()
        data = {"kind": event.kind, "trial_id": event.trial_id, "at": at, **event.payload}
        yield f"id: {event.id}\nevent: {event.kind}\ndata: {json.dumps(data)}\n\n"
