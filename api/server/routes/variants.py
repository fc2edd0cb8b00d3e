"""Variants, the deployable models, and their files."""

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from api.bundle import program
from api.schemas import Page, Prediction, VariantDetail, VariantView
from api.server.routes.parameters import Limit, Order, Where
from api.server.state import State
from search.contract.dataset import DatasetSpec
from services.errors import ConflictError, RejectedError
from services.store import studies, trainings, trials, variants
from services.views import leaderboard

router = APIRouter(tags=["variants"])


@router.get("/variants")
def list_variants(
    state: State,
    study_id: str | None = None,
    trial_id: str | None = None,
    runtime: str | None = None,
    where: Where = [],  # noqa: B006  (FastAPI copies it)
    sort: str = "score",
    order: Order = "asc",
    cursor: str | None = None,
    limit: Limit = 50,
) -> Page[VariantView]:
    """Deployable models: recipe, F1, latency with its interval, size, files."""
    with state.reader.connect() as connection:
        items, following = leaderboard.variant_page(
            connection,
            study_id=study_id,
            trial_id=trial_id,
            runtime=runtime,
            where=where,
            sort=sort,
            descending=order == "desc",
            cursor=cursor,
            limit=limit,
        )
    return Page(items=[VariantView.model_validate(item) for item in items], next=following)


@router.get("/variants/{variant_id}")
def get_variant(variant_id: str, state: State) -> VariantDetail:
    """A deployable model with its scores by class."""
    with state.reader.connect() as connection:
        row = variants.get(connection, variant_id)._mapping
        (view,) = leaderboard.variant_views(connection, [row])
        more = {"per_class_f1": row["per_class_f1"], "confusion": row["confusion"]}
        training_id = trainings.of_job(connection, row["job_id"])
        return VariantDetail.model_validate({**view, **more, "training_id": training_id})


@router.post("/variants/{variant_id}/predict")
def predict(
    variant_id: str,
    image: Annotated[bytes, Body(media_type="application/octet-stream", description="an image file")],
    state: State,
) -> Prediction:
    """Try a model on one picture, which is prepared as the images of its study were."""
    with state.reader.connect() as connection:
        row = variants.get(connection, variant_id)
        (files,) = variants.artifacts_of(connection, [variant_id]).values()
        study, trial = studies.get(connection, row.study_id), trials.get(connection, row.trial_id)
    model = next((file["sha256"] for file in files if file["kind"] == "onnx"), None)
    if model is None:
        raise ConflictError(f"variant {variant_id} has no ONNX file to try: its runtime is {row.runtime}")
    try:
        return program.predict(
            state.artifacts.get(model),
            study.classes,
            image,
            side_px=trial.candidate["image_size"],
            resize=DatasetSpec.model_validate(study.spec["dataset"]).resize,
        )
    except program.PredictionError as error:
        raise RejectedError("image", str(error)) from error


@router.get("/artifacts/{artifact_id}", response_class=Response)
def get_artifact(artifact_id: str, request: Request, state: State) -> Response:
    """The file, with its sha256 as ETag; 304 for who has it already."""
    with state.reader.connect() as connection:
        row = variants.artifact(connection, artifact_id)
    etag = f'"{row.sha256}"'
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={"ETag": etag})
    name = f"{row.kind}-{row.sha256[:12]}{_SUFFIXES[row.kind]}"
    headers = {"ETag": etag, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(state.artifacts.get(row.sha256), media_type="application/octet-stream", headers=headers)


_SUFFIXES = {
    "onnx": ".onnx",
    "weights": ".safetensors",
    "reshaped_weights": ".safetensors",
    "program": ".pt2",
    "augmentation": ".jpg",
}
