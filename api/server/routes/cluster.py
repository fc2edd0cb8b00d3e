"""The cluster that studies run on: its nodes, and what waits for them."""

from fastapi import APIRouter

from api.schemas import ClusterView
from api.server.state import State
from services.ray.errors import RayAwayError
from services.views import queues

router = APIRouter(prefix="/cluster", tags=["cluster"])


@router.get("")
def get_cluster(state: State) -> ClusterView:
    """The nodes with their slots, at most some seconds old, how much is in which state, and Ray's dashboard; 503 where
    Ray is away.
    """
    watch = state.ray_watch
    if watch.trouble is not None:
        raise RayAwayError(watch.trouble)
    with state.reader.connect() as connection:
        counts = queues.count_by_state(connection)
    view = {"ray_url": watch.address, "nodes": watch.nodes, "queues": counts}
    return ClusterView.model_validate(view, from_attributes=True)
