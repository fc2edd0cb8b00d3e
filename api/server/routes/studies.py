"""Studies: create, list, look at, change the budget, pause, resume, cancel, delete, and the front."""

import asyncio
import threading
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Query, Request, Response
from pydantic import BaseModel
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api.schemas import (
    CheckRequest,
    Page,
    ParetoView,
    PointsView,
    StudyCheck,
    StudyLogs,
    StudyPatch,
    StudyView,
    TypicalCurve,
)
from api.server.state import AppState, By, State
from search.contract.importance import Importance
from search.contract.metrics import MetricName
from search.contract.states import StudyState
from search.spaces.size import CountStoppedError
from search.study.spec import StudySpec
from services.errors import RejectedError
from services.studies import admission, commands, deletion, spec_preview
from services.studies.starting_weights import starting_weights
from services.views import importance, points
from services.views import studies as study_views

LOG_CHARACTERS = 100_000
router = APIRouter(prefix="/studies", tags=["studies"])


@router.post("", status_code=201)
def create_study(
    spec: StudySpec,
    response: Response,
    state: State,
    by: By,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None,
) -> StudyView:
    """Queue a study. The same Idempotency-Key with the same body gives the same study again."""
    roots = state.settings.data_roots
    try:
        admission.admit_resources(spec.resources, state.only_nodes)
        admitted = admission.admit_study(spec, roots)
        weights = starting_weights(admitted, state.settings.weights_folder)
    except RejectedError:
        resolved = admission.admit_study(spec, roots, may_be_gone=True)
        study = idempotency_key and commands.replay(state.engine, resolved, idempotency_key)
        if not study:
            raise
    else:
        study = commands.create(state.engine, admitted, weights=weights, idempotency_key=idempotency_key, by=by)
    response.headers["Location"] = f"/studies/{study.id}"
    return StudyView.model_validate(study, from_attributes=True)


@router.post("/check")
async def check_study(check: CheckRequest, request: Request, state: State) -> StudyCheck:
    """Look at a study that is being written: its mistakes, the size of its space, about how long it takes.

    The work ends when the client leaves.
    """
    left = threading.Event()
    watch = asyncio.create_task(_note_when_gone(request, left))
    try:
        async with state.spec_checks:
            return await run_in_threadpool(_check, state, check.text, left)
    except CountStoppedError as stopped:
        raise HTTPException(400, "the client has left") from stopped
    finally:
        watch.cancel()


async def _note_when_gone(request: Request, left: threading.Event) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    left.set()


def _check(state: AppState, text: str, left: threading.Event) -> StudyCheck:
    with state.reader.connect() as connection:
        preview = spec_preview.check(connection, text, is_wanted=lambda: not left.is_set())
    preview = spec_preview.with_resources(preview, state.only_nodes)
    preview = spec_preview.with_weights(preview, state.settings.weights_folder, state.settings.data_roots)
    return StudyCheck.model_validate(preview, from_attributes=True)


@router.get("")
def list_studies(
    state: State,
    study_state: Annotated[StudyState | None, Query(alias="state")] = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Page[StudyView]:
    """Studies, newest first."""
    with state.reader.connect() as connection:
        page = study_views.list_page(connection, state=study_state, cursor=cursor, limit=limit)
    return Page[StudyView].model_validate(page, from_attributes=True)


@router.get("/{study_id}")
def get_study(study_id: str, state: State) -> StudyView:
    return _view(state, study_id)


@router.patch("/{study_id}")
def extend_study(study_id: str, patch: StudyPatch, state: State, by: By) -> StudyView:
    """Raise the budget; a study that has ended searches on."""
    budget = patch.budget
    commands.extend(state.engine, study_id, max_trials=budget.max_trials, max_minutes=budget.max_minutes, by=by)
    return _view(state, study_id)


@router.delete("/{study_id}", status_code=204)
def delete_study(study_id: str, state: State, by: By) -> None:
    """Delete a study that has ended, with its trials, models, files and events; 409 while it has not.

    It cannot be undone. A study that was deleted before is no error.
    """
    deletion.delete(state.engine, study_id, by=by)
    state.sweeper.wake()


@router.post("/{study_id}/pause")
def pause_study(study_id: str, state: State, by: By) -> StudyView:
    """Start no more trials; those that run go on to their end."""
    commands.pause(state.engine, study_id, by=by)
    return _view(state, study_id)


@router.post("/{study_id}/resume")
def resume_study(study_id: str, state: State, by: By) -> StudyView:
    commands.resume(state.engine, study_id, by=by)
    return _view(state, study_id)


@router.post("/{study_id}/cancel")
def cancel_study(study_id: str, state: State, by: By) -> StudyView:
    """End the study for good, its running trials and its compression with it."""
    commands.cancel(state.engine, study_id, by=by)
    return _view(state, study_id)


@router.get("/{study_id}/logs")
def get_logs(study_id: str, state: State) -> StudyLogs:
    """The end of the log of the study's Ray job, and where Ray's dashboard shows it; 503 where Ray is away."""
    with state.reader.connect() as connection:
        job = study_views.get(connection, study_id).job
    if job is None:
        return StudyLogs(job=None, ray_url=None, text="")
    ray_url = f"{state.ray_jobs.address()}/#/jobs/{job}"
    return StudyLogs(job=job, ray_url=ray_url, text=state.ray_jobs.log(job)[-LOG_CHARACTERS:])


@router.get("/{study_id}/pareto", response_model=ParetoView)
def get_front(study_id: str, state: State) -> Response:
    """The trials that no other dominates in the study's objectives, and their hypervolume."""

    def compute(connection: Connection) -> ParetoView:
        return ParetoView.model_validate(study_views.pareto(connection, study_id), from_attributes=True)

    return _kept(state, study_id, "front", compute=compute)


@router.get("/{study_id}/points", response_model=PointsView)
def get_points(
    study_id: str,
    state: State,
    x: MetricName = "latency_ms",
    y: MetricName = "f1",
    most: Annotated[int, Query(ge=1, le=20_000)] = 2000,
    parameter: Annotated[list[str], Query(max_length=20)] = [],  # noqa: B006  (FastAPI copies it)
) -> Response:
    """The study for a chart: all its completed trials, or about ``most`` of them that shape the picture."""

    def compute(connection: Connection) -> PointsView:
        drawing = points.points(connection, study_id, x=x, y=y, most=most, parameters=parameter)
        return PointsView.model_validate(drawing, from_attributes=True)

    return _kept(state, study_id, "points", x, y, most, *parameter, compute=compute)


@router.get("/{study_id}/curve", response_model=TypicalCurve)
def get_curve(study_id: str, state: State) -> Response:
    """How the study's completed trials learned: the quartiles of f1 after each epoch."""

    def compute(connection: Connection) -> TypicalCurve:
        return TypicalCurve.model_validate(study_views.typical_curve(connection, study_id), from_attributes=True)

    return _kept(state, study_id, "curve", compute=compute)


@router.get("/{study_id}/importance", response_model=Importance)
def get_importance(study_id: str, state: State, metric: MetricName = "f1") -> Response:
    """What the best quarter of the trials by a metric share: the importance of every parameter and operation."""
    return _kept(
        state,
        study_id,
        "importance",
        metric,
        compute=lambda connection: importance.importance(connection, study_id, metric),
    )


def _kept(state: AppState, study_id: str, *question: str | int, compute: Callable[[Connection], BaseModel]) -> Response:
    """An answer about a study that takes long to compute, as it was last computed if nothing has happened since."""
    with state.reader.connect() as connection:
        answer = state.answers.get(
            (study_id, *question),
            last_event_id=study_views.last_event_id(connection, study_id),
            compute=lambda: compute(connection).model_dump_json(by_alias=True).encode(),
        )
    return Response(answer, media_type="application/json")


def _view(state: AppState, study_id: str) -> StudyView:
    with state.reader.connect() as connection:
        return StudyView.model_validate(study_views.get(connection, study_id), from_attributes=True)
