"""Batches under a policy: what chance decides, what stays the same, and that a CUDA graph could hold it all."""

import subprocess
import sys
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from search.contract.augmentation import FLIP_ONLY, OPERATION_NAMES, Operation, OperationName, Policy
from workers.augmentation.batch import BatchAugmenter, apply_draw, masked, selected
from workers.augmentation.draw import Drawer

EVERYTHING = Policy(
    operations=tuple(Operation(name=name, probability=0.8, magnitude=0.7) for name in OPERATION_NAMES), max_ops=3
)
policies = st.builds(
    Policy,
    operations=st.lists(
        st.builds(
            Operation,
            name=st.sampled_from(OPERATION_NAMES),
            probability=st.floats(0, 1),
            magnitude=st.floats(0, 1),
        ),
        max_size=8,
    ).map(tuple),
    max_ops=st.integers(0, 8),
)


def noise(n: int, side_px: int = 24) -> Tensor:
    levels = torch.randint(0, 256, (n, 3, side_px, side_px), dtype=torch.uint8, generator=seeded(7))
    return levels.contiguous(memory_format=torch.channels_last)


def labels(n: int) -> Tensor:
    return torch.eye(4)[torch.arange(n) % 4]


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def one(name: OperationName, probability: float = 1.0, magnitude: float = 0.5) -> Policy:
    operation = Operation(name=name, probability=probability, magnitude=magnitude)
    return Policy(operations=(operation,), max_ops=1)


@settings(deadline=None, max_examples=40)
@given(policy=policies, seed=st.integers(0, 2**32), n=st.integers(1, 20))
def test_shapes_types_layout_and_label_sums_stay_and_arguments_are_left_alone(
    policy: Policy, seed: int, n: int
) -> None:
    images, targets = noise(n), labels(n)
    changed, mixed = BatchAugmenter(policy, seeded(seed))(images, targets)
    assert (changed.shape, changed.dtype) == (images.shape, torch.uint8)
    assert changed.is_contiguous(memory_format=torch.channels_last)
    assert (mixed.shape, mixed.dtype) == (targets.shape, torch.float32)
    torch.testing.assert_close(mixed.sum(1), torch.ones(n))
    assert mixed.min() >= 0
    assert torch.equal(images, noise(n))
    assert torch.equal(targets, labels(n))


@settings(deadline=None, max_examples=40)
@given(policy=policies, seed=st.integers(0, 2**32))
def test_masking_and_selecting_give_the_same_images_and_labels(policy: Policy, seed: int) -> None:
    """But for single levels: the last bit of a sine depends on the length of the vector it was computed in."""
    draw = Drawer(policy, torch.device("cpu"))(20, seeded(seed))
    by_mask, by_selection = (
        apply_draw(noise(20), labels(20), policy=policy, draw=draw, dispatch=dispatch)
        for dispatch in (masked, selected)
    )
    difference = (by_mask[0].int() - by_selection[0].int()).abs()
    assert difference.max() <= 1
    assert difference.float().mean() < 1e-3
    assert torch.equal(by_mask[1], by_selection[1])


def test_the_same_seed_gives_the_same_batches_and_another_seed_others() -> None:
    augmenters = [BatchAugmenter(EVERYTHING, seeded(seed)) for seed in (1, 1, 2)]
    first, again, other = ([augment(noise(16), labels(16))[0] for _ in range(2)] for augment in augmenters)
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])
    assert not torch.equal(first[0], first[1])


def test_images_of_one_batch_get_different_draws() -> None:
    same = noise(1).expand(32, -1, -1, -1)
    changed, _ = BatchAugmenter(EVERYTHING, seeded(0))(same, labels(32))
    assert len(changed.flatten(1).unique(dim=0)) > 25


def test_an_empty_policy_changes_nothing() -> None:
    changed, targets = BatchAugmenter(Policy(), seeded(0))(noise(8), labels(8))
    assert torch.equal(changed, noise(8))
    assert torch.equal(targets, labels(8))


@pytest.mark.parametrize("max_ops", [0, 1, 3, 8])
def test_no_image_gets_more_operations_than_max_ops_and_certain_ones_get_as_many(max_ops: int) -> None:
    certain = Policy(operations=tuple(Operation(name=name) for name in OPERATION_NAMES), max_ops=max_ops)
    drawn = Drawer(certain, torch.device("cpu"))(500, seeded(0)).applied[:, : len(certain.image_operations)]
    assert (drawn.sum(1) == max_ops).all()
    assert drawn.any(0).all() == (max_ops > 0)


def test_operations_are_applied_as_often_as_their_probability_says() -> None:
    for name in ("Rotate", "HorizontalFlip", "MixUp"):
        applied = Drawer(one(name, probability=0.3), torch.device("cpu"))(4000, seeded(0)).applied
        assert applied.float().mean().item() == pytest.approx(0.3, abs=0.03)


def test_signed_operations_go_both_ways_at_the_whole_magnitude() -> None:
    values = Drawer(one("Rotate", magnitude=0.5), torch.device("cpu"))(4000, seeded(0)).values
    assert values.unique().tolist() == [-15.0, 15.0]
    assert (values > 0).float().mean().item() == pytest.approx(0.5, abs=0.03)


def test_flips_alone_return_images_or_their_mirror_images() -> None:
    images = noise(64)
    changed, _ = BatchAugmenter(FLIP_ONLY, seeded(0))(images, labels(64))
    same = (changed == images).flatten(1).all(1)
    mirrored = (changed == images.flip(3)).flatten(1).all(1)
    assert (same ^ mirrored).all()
    assert 16 < same.sum() < 48


class _HostWork(TorchDispatchMode):
    """Collects operators whose result's value or shape the host would wait for, and uploads of host data."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        waits = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape} & set(func.tags)
        if waits or func is torch.ops.aten.lift_fresh.default:
            self.found.add(str(func))
        return func(*args, **(kwargs or {}))


def test_drawing_and_masking_never_make_the_host_wait() -> None:
    drawer, images, targets = Drawer(EVERYTHING, torch.device("cpu")), noise(16), labels(16)
    with _HostWork() as host:
        draw = drawer(16, seeded(0))
        apply_draw(images, targets, policy=EVERYTHING, draw=draw, dispatch=masked)
    assert host.found == set()
    with _HostWork() as host:
        apply_draw(images, targets, policy=EVERYTHING, draw=draw, dispatch=selected)
    assert "aten.nonzero.default" in host.found


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_cuda_graph_holds_a_call_and_each_replay_draws_anew() -> None:
    generator = torch.Generator("cuda").manual_seed(0)
    augment = BatchAugmenter(EVERYTHING, generator)
    images, targets = noise(16).cuda(), labels(16).cuda()
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        augment(images, targets)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(generator)
    with torch.cuda.graph(graph):
        changed, mixed = augment(images, targets)
    seen = []
    for _ in range(2):
        graph.replay()
        seen.append(changed.clone())
        torch.testing.assert_close(mixed.sum(1), torch.ones_like(mixed[:, 0]))
    assert not torch.equal(*seen)


@pytest.mark.parametrize("images", [noise(4).float(), noise(4)[:, :1], noise(4)[:, :, :8], noise(4)[0]])
def test_other_images_than_square_rgb_of_uint8_are_refused(images: Tensor) -> None:
    with pytest.raises(ValueError, match=r"images are uint8 \[n, 3, side, side\], not torch"):
        BatchAugmenter(EVERYTHING, seeded(0))(images, labels(4))


@pytest.mark.parametrize("targets", [torch.arange(4), labels(3), labels(4).double()])
def test_other_targets_than_a_share_a_class_are_refused(targets: Tensor) -> None:
    with pytest.raises(ValueError, match=r"one_hot\(labels, classes\)\.float\(\) makes them"):
        BatchAugmenter(EVERYTHING, seeded(0))(noise(4), targets)


def test_training_never_imports_albumentations() -> None:
    program = "import sys, workers.augmentation.batch; sys.exit('albumentations' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
