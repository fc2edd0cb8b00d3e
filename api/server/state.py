"""The application's state for its routes: settings, database, artifacts, events."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Engine

from api.server.scopes import CALLER
from services.control.sweeper import Sweeper
from services.errors import BusyError
from services.events import EventFeed
from services.local.supervisor import Supervisor
from services.ray.jobs import Node, RayJobs
from services.ray.watch import RayWatch
from services.records.keys import KeyName, KnownKey
from services.settings import Settings
from services.storage.artifacts import ArtifactStore
from services.views.answer_cache import AnswerCache

_RETRY_AFTER_S = 5


class Queue:
    """Lets ``at_once`` requests work, has ``most_waiting`` wait in order, and refuses the others."""

    def __init__(self, what: str, *, at_once: int, most_waiting: int) -> None:
        self._what, self._most_waiting, self._waiting = what, most_waiting, 0
        self._places = asyncio.Semaphore(at_once)

    def is_full(self) -> bool:
        """Whether the next request would wait."""
        return self._places.locked()

    async def __aenter__(self) -> None:
        if self._waiting >= self._most_waiting:
            raise BusyError(f"{self._waiting} {self._what} wait already", retry_after_s=_RETRY_AFTER_S)
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1

    async def __aexit__(self, *_: object) -> None:
        self._places.release()


@dataclass(frozen=True, kw_only=True)
class AppState:
    """``reader`` is for queries that need no transaction; the two queues bound what requests do at a time. ``answers``
    keeps those that take long to compute.

    ``supervisor`` is None where this process started nothing. ``joinable`` says whether nodes may join the cluster.
    """

    settings: Settings
    engine: Engine
    reader: Engine
    artifacts: ArtifactStore
    feed: EventFeed
    answers: AnswerCache
    spec_checks: Queue
    predictions: Queue
    sweeper: Sweeper
    ray_jobs: RayJobs
    ray_watch: RayWatch
    supervisor: Supervisor | None
    joinable: bool

    @property
    def only_nodes(self) -> Sequence[Node]:
        """The nodes of a cluster that no other can join; none where one may, and before Ray has answered."""
        return () if self.joinable else self.ray_watch.nodes

    @property
    def embeds_postgres(self) -> bool:
        """Whether this process has started the database, in the home folder."""
        return self.supervisor is not None and "postgres" in self.supervisor.restarts


async def _state(request: Request) -> AppState:
    state: AppState = request.app.state.seedleaf
    return state


async def _caller(request: Request) -> KeyName | None:
    caller: KnownKey | None = request.scope[CALLER]
    return None if caller is None else caller.name


State = Annotated[AppState, Depends(_state)]
#: The key that a request came with; None where it was let in without.
By = Annotated[KeyName | None, Depends(_caller)]
