"""Liveness, readiness, and the metrics that Prometheus scrapes."""

from fastapi import APIRouter, HTTPException
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry, generate_latest

from api.server import errors
from api.server.state import State
from services.database import takes_writes
from services.views.prometheus import RecordCollector

router = APIRouter(tags=["health"])


@router.get("/healthz", response_class=PlainTextResponse)
def healthz() -> str:
    """The process answers."""
    return "ok"


@router.get("/readyz", response_class=PlainTextResponse)
def readyz(state: State) -> str:
    """The database answers too, and takes writes; 503 where it does not."""
    if not takes_writes(state.engine):
        raise HTTPException(*errors.DATABASE_READ_ONLY)
    return "ready"


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(state: State) -> str:
    """Metrics in Prometheus' text format: of the service, and of each study that is active or just ended."""
    registry = CollectorRegistry()
    with state.engine.connect() as connection:
        registry.register(RecordCollector(connection))
    return generate_latest(registry).decode()
