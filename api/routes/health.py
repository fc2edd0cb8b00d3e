"""Is it alive, is it ready, and the figures that Prometheus scrapes."""

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlalchemy import text

from api.state import State
from services.store import totals

router = APIRouter(tags=["health"])


@router.get("/healthz", response_class=PlainTextResponse)
def healthz() -> str:
    """The process answers."""
    return "ok"


@router.get("/readyz", response_class=PlainTextResponse)
def readyz(state: State) -> str:
    """The database answers too; 503 where it does not."""
    with state.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    return "ready"


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(state: State) -> str:
    """Counts of studies, trials and compression jobs by state, in Prometheus' text format."""
    registry = CollectorRegistry()
    with state.engine.connect() as connection:
        for name, counts in totals.by_state(connection).items():
            gauge = Gauge(f"seedleaf_{name}", f"{name} by state", ["state"], registry=registry)
            for state_name, count in counts.items():
                gauge.labels(state=state_name).set(count)
    return generate_latest(registry).decode()
