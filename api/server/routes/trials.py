"""Trials: the leaderboard, one trial in full, compress it, run it again."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse

from api.schemas import CompressRequest, Page, Queued, StudyView, TrainingView, TrainRequest, TrialDetail, TrialView
from api.server.routes.parameters import Limit, Order, Where
from api.server.state import By, State
from search.contract.recipes import Recipe, default_recipe
from search.contract.states import TrialState
from search.spaces.model_yaml import write_architecture
from services.errors import RejectedError
from services.studies import admission, commands
from services.views import leaderboard
from services.views import studies as study_views
from services.views import trials as trial_views

router = APIRouter(prefix="/trials", tags=["trials"])


@router.get("")
def list_trials(
    state: State,
    study_id: str | None = None,
    trial_state: Annotated[TrialState | None, Query(alias="state")] = None,
    where: Where = [],  # noqa: B006  (FastAPI copies it)
    sort: str = "score",
    order: Order = "asc",
    cursor: str | None = None,
    limit: Limit = 50,
) -> Page[TrialView]:
    """The leaderboard: one row a trial, with its best variant."""
    with state.reader.connect() as connection:
        page = leaderboard.trial_page(
            connection,
            study_id=study_id,
            state=trial_state,
            where=where,
            sort=sort,
            descending=order == "desc",
            cursor=cursor,
            limit=limit,
        )
    return Page[TrialView].model_validate(page, from_attributes=True)


@router.get("/{trial_id}")
def get_trial(trial_id: str, state: State) -> TrialDetail:
    """Candidate, metrics, learning curve, compression jobs and, where it failed, why."""
    with state.reader.connect() as connection:
        return TrialDetail.model_validate(trial_views.get_full(connection, trial_id), from_attributes=True)


@router.get("/{trial_id}/model.yaml", response_class=PlainTextResponse)
def get_architecture(trial_id: str, state: State) -> str:
    """The trial's network in the competition's format, as ``seedleaf model show`` reads it."""
    with state.reader.connect() as connection:
        candidate = trial_views.get_candidate(connection, trial_id)
    return write_architecture(candidate.architecture, side_px=candidate.image_size)


@router.post("/{trial_id}/compress", status_code=202)
def compress_trial(trial_id: str, request: CompressRequest, state: State, by: By) -> Queued:
    """Queue one more recipe for a completed trial; the same recipe is queued once."""
    recipe = admission.admit_recipe(_recipe(request.recipe), state.settings.data_roots)
    job = commands.compress(state.engine, trial_id, recipe, by=by)
    return Queued(id=job.id, state=job.state)


@router.post("/{trial_id}/train", status_code=202)
def train_trial(trial_id: str, request: TrainRequest, state: State, by: By) -> TrainingView:
    """Have a trial's candidate trained in full, on all the data; its best weights are what is compressed afterwards."""
    training = commands.train(state.engine, trial_id, epochs=request.epochs, seeds=request.seeds, by=by)
    return TrainingView.model_validate(training, from_attributes=True)


@router.post("/{trial_id}/retry", status_code=202)
def retry_trial(trial_id: str, state: State, by: By) -> StudyView:
    """Run a trial that gave no result once more, as a new trial beyond the budget."""
    study_id = commands.retry(state.engine, trial_id, by=by)
    with state.reader.connect() as connection:
        return StudyView.model_validate(study_views.get(connection, study_id), from_attributes=True)


def _recipe(recipe: str | Recipe) -> Recipe:
    if isinstance(recipe, Recipe):
        return recipe
    try:
        return default_recipe(recipe)
    except ValueError as error:
        raise RejectedError("recipe", str(error)) from error
