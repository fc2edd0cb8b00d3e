"""The benchmark slot times and scores in the target's runtime, and says what it cannot time."""

from typing import Any

import numpy as np
import pytest

from search.contract.runtimes import TARGET_RUNTIMES
from search.contract.targets import RuntimeName, TargetSpec
from tests.unit.compression_states import trained
from tests.unit.training_sets import SIDE_PX, coloured_images
from workers.actors.slot import BenchmarkSlot
from workers.export import quick_onnx
from workers.latency.runtimes import RUNTIMES
from workers.predictors import onnx_predictor


@pytest.fixture(scope="module")
def model() -> bytes:
    return quick_onnx(trained(), SIDE_PX)


def _target(**parts: Any) -> TargetSpec:
    target = TargetSpec(**parts)
    if (missing := RUNTIMES[target.runtime].missing) is not None:
        pytest.skip(missing)
    return target


@pytest.mark.parametrize("runtime", tuple(TARGET_RUNTIMES))
def test_a_file_is_timed_and_scored_in_the_targets_runtime(runtime: RuntimeName, model: bytes) -> None:
    slot, target = BenchmarkSlot(), _target(runtime=runtime, node="board")
    timing = slot.time_file(model, target=target)
    assert 0 < timing.latency.low_ms <= timing.latency.p50_ms <= timing.latency.high_ms
    assert timing.host.startswith("board: ")
    assert f" {runtime} {RUNTIMES[runtime].version()}" in timing.host
    images, _ = coloured_images(100)
    assert np.array_equal(slot.predict(model, images, target=target), onnx_predictor(model)(images).argmax(1))
    assert slot.missing(target) is None


def test_more_threads_than_the_host_has_cores_are_refused_before_anything_is_timed() -> None:
    assert "ask for fewer threads" in str(BenchmarkSlot().missing(TargetSpec(threads=256)))


@pytest.mark.parametrize("runtime", tuple(TARGET_RUNTIMES))
def test_a_runtime_that_the_host_lacks_is_told_with_how_to_get_it(runtime: RuntimeName) -> None:
    if RUNTIMES[runtime].missing is None:
        pytest.skip(f"{runtime} is here")
    assert RUNTIMES[runtime].how_to_get in str(BenchmarkSlot().missing(TargetSpec(runtime=runtime)))
