"""The application's state for its routes: settings, database, artifacts, events."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Engine

from services.events import EventFeed
from services.settings import Settings
from services.storage.artifacts import ArtifactStore


@dataclass(frozen=True, kw_only=True)
class AppState:
    """``reader`` is for queries that need no transaction; ``spec_checks`` bounds the checks of specs at a time."""

    settings: Settings
    engine: Engine
    reader: Engine
    artifacts: ArtifactStore
    feed: EventFeed
    spec_checks: asyncio.Semaphore


async def _state(request: Request) -> AppState:
    state: AppState = request.app.state.seedleaf
    return state


State = Annotated[AppState, Depends(_state)]
