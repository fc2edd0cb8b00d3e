"""A picture for POST /variants/{id}/predict is read within limits, by a process that knows no secret."""

import asyncio
import io
import resource
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest
from PIL import Image
from sqlalchemy import Engine

from api.server.state import Queue
from services.errors import BusyError
from services.storage.artifacts import ArtifactStore
from services.store import studies, variants
from tests.integration.records import make_study, make_trial, make_variant
from tests.integration.security import make_settings, serving
from tests.server import command_of, wait_for
from tests.unit.compression_states import trained
from workers.export import quick_onnx

_SIDE_PX = 16  # of the candidate in tests.integration.records


def _picture(form: str = "PNG", *, side_px: int = 40, mode: str = "RGB") -> bytes:
    written = io.BytesIO()
    Image.new(mode, (side_px, side_px)).save(written, form)
    return written.getvalue()


@pytest.fixture
def variant_url(engine: Engine, database_url: str, tmp_path: Path) -> str:
    study_id = make_study(engine)
    trial_id = make_trial(engine, study_id)
    content = quick_onnx(trained(), _SIDE_PX)
    sha256 = ArtifactStore(make_settings(database_url, tmp_path).artifacts).put(content)
    with engine.begin() as connection:
        studies.set_values(connection, study_id, classes=["can", "cup", "lid"])
        weights = {"id": "w", "kind": "weights", "trial_id": trial_id}
        variants.add_artifact(connection, {**weights, "sha256": sha256, "size_bytes": len(content)})
    variant_id = make_variant(engine, study_id, trial_id)
    with engine.begin() as connection:
        onnx = {"id": "o", "kind": "onnx", "trial_id": trial_id, "variant_id": variant_id}
        variants.add_artifact(connection, {**onnx, "sha256": sha256, "size_bytes": len(content)})
    return f"/variants/{variant_id}/predict"


@pytest.fixture
def client(database_url: str, tmp_path: Path, variant_url: str) -> Iterator[httpx.Client]:
    with serving(database_url, tmp_path) as client:
        client.timeout = httpx.Timeout(60)
        yield client


def _readers() -> list[psutil.Process]:
    """The processes that read a picture now."""
    return [child for child in psutil.Process().children() if "predict_once" in command_of(child)]


@pytest.mark.parametrize("form", ["EPS", "ICO", "TGA", "PCX", "DDS", "SGI"])
def test_formats_that_are_not_promised_are_not_tried(form: str, client: httpx.Client, variant_url: str) -> None:
    refused = client.post(variant_url, content=_picture(form))
    assert (refused.status_code, "cannot identify image" in refused.json()["detail"]) == (422, True)


def test_a_small_file_of_many_pixels_is_refused(client: httpx.Client, variant_url: str) -> None:
    bomb = _picture(side_px=8000, mode="L")
    assert len(bomb) < 100_000
    refused = client.post(variant_url, content=bomb)
    assert (refused.status_code, "more than 16777216 pixels" in refused.json()["detail"]) == (422, True)


def test_the_process_has_limits_and_none_of_the_servers_secrets(
    client: httpx.Client, variant_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEEDLEAF_DATABASE_URL", "postgresql://user:secret@host/name")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")
    answers = []
    asking = threading.Thread(target=lambda: answers.append(client.post(variant_url, content=_picture())))
    asking.start()
    (reader,) = wait_for(_readers, timeout_s=30, what="a process that reads the picture")
    environment = reader.environ()
    wait_for(lambda: reader.rlimit(resource.RLIMIT_CORE) == (0, 0), timeout_s=30, what="its limits")
    data_bytes, _ = reader.rlimit(resource.RLIMIT_DATA)
    asking.join()
    assert "secret" not in str(environment)
    assert data_bytes <= 2**31
    assert (answers[0].status_code, set(answers[0].json()["probabilities"])) == (200, {"can", "cup", "lid"})


def test_two_pictures_are_looked_at_together_and_the_others_wait(client: httpx.Client, variant_url: str) -> None:
    most = 0
    with ThreadPoolExecutor(5) as pool:
        asked = [pool.submit(client.post, variant_url, content=_picture("TGA")) for _ in range(5)]
        while not all(answer.done() for answer in asked):
            most = max(most, len(_readers()))
    assert most == 2
    assert {answer.result().status_code for answer in asked} == {422}


def test_the_last_of_a_crowd_is_told_when_to_come_back() -> None:
    async def crowd() -> tuple[list[int], BusyError]:
        queue, order, go = Queue("pictures", at_once=1, most_waiting=2), [], asyncio.Event()

        async def work(number: int) -> None:
            async with queue:
                order.append(number)
                await go.wait()

        working = [asyncio.create_task(work(number)) for number in range(3)]
        await asyncio.sleep(0)
        assert queue.is_full()
        with pytest.raises(BusyError, match="2 pictures wait already: try again in 5 s") as caught:
            await work(3)
        go.set()
        await asyncio.gather(*working)
        await work(4)
        return order, caught.value

    order, refusal = asyncio.run(crowd())
    assert (order, refusal.retry_after_s) == ([0, 1, 2, 4], 5)
