"""Networks in the middle of recipes: trained once, and whole or absent."""

from pathlib import Path

import pytest
import torch

from search.contract.recipes import FineTuning, LowRank, Step, StructuredPruning, UnstructuredPruning
from tests.unit.compression_states import compression_state
from workers.compression.state import CompressionState, NotApplicableError
from workers.compression.step_cache import StepCache

BEGINNING: tuple[Step, ...] = (StructuredPruning(ratio=0.5), FineTuning(epochs=1))
FURTHER: tuple[Step, ...] = (UnstructuredPruning(), FineTuning(epochs=1))


def _run(folder: Path, *steps: Step, origin: str = "one") -> tuple[CompressionState, bool]:
    """The state afterwards, and whether anything was trained for it."""
    state, trained = compression_state(), []
    prepare = state.training

    def noted_training() -> object:
        trained.append(True)
        return prepare()

    state.training = noted_training  # type: ignore[assignment]
    StepCache(folder=folder, origin=origin).run(steps, state)
    return state, bool(trained)


def _weights(state: CompressionState) -> dict[str, torch.Tensor]:
    return state.network.state_dict()


def test_a_common_beginning_is_trained_once_and_goes_on_as_if_it_were_trained_again(tmp_path: Path) -> None:
    straight, _ = _run(tmp_path / "other", *BEGINNING, *FURTHER)
    first, trained = _run(tmp_path, *BEGINNING)
    assert trained
    again, trained_again = _run(tmp_path, *BEGINNING)
    assert not trained_again
    torch.testing.assert_close(_weights(again), _weights(first), rtol=0, atol=0)
    resumed, _ = _run(tmp_path, *BEGINNING, *FURTHER)
    torch.testing.assert_close(_weights(resumed), _weights(straight), rtol=0, atol=0)
    assert resumed.masks.keys() == straight.masks.keys() != set()


def test_what_does_not_come_from_the_same_is_trained_anew(tmp_path: Path) -> None:
    _run(tmp_path, *BEGINNING)
    assert _run(tmp_path, *BEGINNING, origin="another")[1]
    assert _run(tmp_path, StructuredPruning(ratio=0.25), FineTuning(epochs=1))[1]


def test_what_does_not_apply_leaves_nothing_behind(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(NotApplicableError):
            _run(tmp_path, UnstructuredPruning(), StructuredPruning(), FineTuning(epochs=1))
    assert not list(tmp_path.glob("*.pt"))


def test_low_rank_layers_are_read_back(tmp_path: Path) -> None:
    steps = (LowRank(energy=0.5), FineTuning(epochs=1))
    first, _ = _run(tmp_path, *steps)
    again, trained = _run(tmp_path, *steps)
    assert not trained
    torch.testing.assert_close(_weights(again), _weights(first), rtol=0, atol=0)
