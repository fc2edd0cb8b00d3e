"""Liveness, readiness, and the metrics that Prometheus scrapes."""

import asyncio

from fastapi import APIRouter, HTTPException
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry, generate_latest

from api.server import errors
from api.server.state import State
from services.database import takes_writes
from services.local.postgres import has_room
from services.views.prometheus import RecordCollector, RestartCollector

router = APIRouter(tags=["health"])


@router.get("/healthz", response_class=PlainTextResponse)
async def healthz() -> str:
    """The process answers."""
    return "ok"  # in the event loop: it waits for no thread that others hold


@router.get("/readyz", response_class=PlainTextResponse)
async def readyz(state: State) -> str:
    """The database answers too, its disk has room, it takes writes, and Ray answers; 503 where one does not."""
    if state.embeds_postgres and not await asyncio.to_thread(has_room, state.settings.home / "postgres"):
        raise HTTPException(*errors.DATABASE_FULL)
    if not await asyncio.to_thread(takes_writes, state.engine):
        raise HTTPException(*errors.DATABASE_READ_ONLY)
    if state.ray_watch.trouble is not None:
        raise HTTPException(*errors.RAY_AWAY)
    return "ready"


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(state: State) -> str:
    """Metrics in Prometheus' text format: of the service, and of each study that is active or just ended."""
    registry = CollectorRegistry()
    with state.engine.connect() as connection:
        registry.register(RecordCollector(connection))
    if state.supervisor is not None:
        registry.register(RestartCollector(state.supervisor.restarts))
    return generate_latest(registry).decode()
