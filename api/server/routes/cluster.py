"""The cluster that studies run on: its nodes, and what waits for them."""

from fastapi import APIRouter

from api.schemas import ClusterView
from api.server.state import State
from services.ray.errors import RayAwayError
from services.views import queues

router = APIRouter(prefix="/cluster", tags=["cluster"])


@router.get("")
def get_cluster(state: State) -> ClusterView:
    """The nodes with their slots, how much is in which state, and Ray's dashboard; 503 where Ray is away."""
    if state.ray_watch.trouble is not None:
        raise RayAwayError(state.ray_watch.trouble)
    nodes = state.ray_jobs.nodes()
    with state.reader.connect() as connection:
        counts = queues.count_by_state(connection)
    view = {"ray_url": state.ray_jobs.address(), "nodes": nodes, "queues": counts}
    return ClusterView.model_validate(view, from_attributes=True)
