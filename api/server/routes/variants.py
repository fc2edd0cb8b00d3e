"""Variants, the deployable models, and their files."""

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response
from starlette.concurrency import run_in_threadpool

from api.bundle import program
from api.schemas import Page, Prediction, VariantDetail, VariantView
from api.server.routes.parameters import Limit, Order, Where
from api.server.state import AppState, State
from services.errors import RejectedError
from services.views import leaderboard
from services.views import variants as variant_views

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
        page = leaderboard.variant_page(
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
    return Page[VariantView].model_validate(page, from_attributes=True)


@router.get("/variants/{variant_id}")
def get_variant(variant_id: str, state: State) -> VariantDetail:
    """A deployable model with its scores by class."""
    with state.reader.connect() as connection:
        return VariantDetail.model_validate(variant_views.get_full(connection, variant_id), from_attributes=True)


@router.post("/variants/{variant_id}/predict")
async def predict(
    variant_id: str,
    image: Annotated[bytes, Body(media_type="application/octet-stream", description="an image file")],
    state: State,
) -> Prediction:
    """Try a model on one picture, which is prepared as the images of its study were.

    Two pictures are looked at together, further ones wait; 503 with Retry-After if too many do.
    """
    async with state.predictions:
        return await run_in_threadpool(_predict, state, variant_id, image)


def _predict(state: AppState, variant_id: str, image: bytes) -> Prediction:
    with state.reader.connect() as connection:
        deployment = variant_views.get_deployment(connection, variant_id)
    try:
        return program.predict(
            state.artifacts.get(deployment.onnx_sha256),
            deployment.classes,
            image,
            side_px=deployment.side_px,
            resize=deployment.resize,
        )
    except program.PredictionError as error:
        raise RejectedError("image", str(error)) from error


@router.get("/artifacts/{artifact_id}", response_class=Response)
def get_artifact(artifact_id: str, request: Request, state: State) -> Response:
    """The file, with its sha256 as ETag; 304 for who has it already."""
    with state.reader.connect() as connection:
        artifact = variant_views.get_artifact(connection, artifact_id)
    etag = f'"{artifact.sha256}"'
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={"ETag": etag})
    name = f"{artifact.kind}-{artifact.sha256[:12]}{_SUFFIXES[artifact.kind]}"
    headers = {"ETag": etag, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(state.artifacts.get(artifact.sha256), media_type="application/octet-stream", headers=headers)


_SUFFIXES = {
    "onnx": ".onnx",
    "weights": ".safetensors",
    "reshaped_weights": ".safetensors",
    "program": ".pt2",
    "augmentation": ".jpg",
}
