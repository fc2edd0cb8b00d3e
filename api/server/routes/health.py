"""Liveness, readiness, and the metrics that Prometheus scrapes."""

from fastapi import APIRouter, HTTPException
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import text

from api.server import errors
from api.server.state import State
from services.views.prometheus import RecordCollector

router = APIRouter(tags=["health"])


@router.get("/healthz", response_class=PlainTextResponse)
def healthz() -> str:
    """The process answers."""
    return "ok"


@router.get("/readyz", response_class=PlainTextResponse)
def readyz(state: State) -> str:
    """The database answers too, and takes writes; 503 where it does not."""
    with state.engine.connect() as connection:
        read_only = connection.execute(text("SHOW transaction_read_only")).scalar_one() == "on"
    if read_only:
        raise HTTPException(*errors.DATABASE_READ_ONLY)
    return "ready"


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(state: State) -> str:
    """Metrics in Prometheus' text format: of the service, and of each study that is active or just ended."""
    registry = CollectorRegistry()
    with state.engine.connect() as connection:
        registry.register(RecordCollector(connection))
    return generate_latest(registry).decode()
