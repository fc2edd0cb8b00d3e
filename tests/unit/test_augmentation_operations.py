"""Each operation, with the same drawn value, by torch and by albumentations, and by both ways to dispatch in torch.

Tolerances: operations on whole numbers agree exactly, and so do whole-pixel shifts; the others differ by one grey
level at most, as the libraries round differently. Resampling between pixels may differ by more in single pixels
(OpenCV 4 knows positions to 1/32 pixel), by less than one level on the mean of an image.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Picture

from search.contract.augmentation import BATCH_OPERATION_NAMES, OPERATION_NAMES, Operation, OperationName, Policy
from workers.augmentation import batch, single
from workers.augmentation.draw import Draw
from workers.augmentation.kinds import AffineDefinition, Image, MixDefinition
from workers.augmentation.operations import OPERATIONS

TRASHNET = Path(__file__).parents[2] / "../shared/data/trashnet"
RESAMPLING = ("Rotate", "ShearX", "ShearY")
WITHIN_ONE_LEVEL = ("Brightness", "Contrast", "Color", "Sharpness", "AutoContrast")
SINGLE_OPERATION_NAMES = [name for name in OPERATION_NAMES if name not in BATCH_OPERATION_NAMES]


def generated_images(side_px: int) -> list[Image]:
    """A gradient with a bright disc, an image of one colour, and noise."""
    across, down = np.meshgrid(np.linspace(0, 1, side_px), np.linspace(0, 1, side_px))
    gradient = np.stack((across, down, (across + down) / 2), axis=2) * 220 + 10
    gradient[(across - 0.4) ** 2 + (down - 0.6) ** 2 < 0.04] = (255, 240, 90)
    noise = np.random.default_rng(0).integers(0, 256, (side_px, side_px, 3))
    return [image.astype(np.uint8) for image in (gradient, np.full_like(noise, 77), noise)]


def photographs(side_px: int) -> list[Image]:
    files = sorted(TRASHNET.glob("*/*.jpg"))[::250]
    return [np.asarray(Picture.open(file).convert("RGB").resize((side_px, side_px))) for file in files]


def policy_of(*names: OperationName) -> Policy:
    return Policy(operations=tuple(Operation(name=name) for name in names), max_ops=8)


def draw_of(*values: float, n: int = 1) -> Draw:
    """All operations applied, with these values, to each of n images."""
    return Draw(
        applied=torch.ones(n, len(values), dtype=torch.bool),
        values=torch.tensor(values).expand(n, -1),
        positions=torch.tensor([0.3, 0.8]).expand(n, len(values), 2),
    )


def by_torch(image: Image, policy: Policy, draw: Draw, dispatch: batch.Dispatch) -> Image:
    images = torch.from_numpy(image.copy()).permute(2, 0, 1).unsqueeze(0)
    changed, _ = batch.apply_draw(images, torch.ones(1, 1), policy=policy, draw=draw, dispatch=dispatch)
    return changed[0].permute(1, 2, 0).numpy()


def differences(name: OperationName, images: list[Image]) -> list[Image]:
    """Absolute differences between the executors in grey levels, at several magnitudes and both signs."""
    found = []
    policy, definition = policy_of(name), OPERATIONS[name]
    for magnitude in (0.0, 0.3, 0.7, 1.0):
        for sign in (1, -1) if definition.signed else (1,):
            draw = draw_of(definition.full * magnitude * sign)
            for image in images:
                selected = by_torch(image, policy, draw, batch.selected)
                np.testing.assert_array_equal(selected, by_torch(image, policy, draw, batch.masked))
                found.append(np.abs(selected.astype(int) - single.apply_draw(image, policy, draw)))
    return found


def assert_executors_agree(name: OperationName, images: list[Image]) -> None:
    found = differences(name, images)
    if name in RESAMPLING:
        assert max(difference.mean() for difference in found) < 1.0
    else:
        assert max(difference.max() for difference in found) <= (1 if name in WITHIN_ONE_LEVEL else 0)


@pytest.mark.parametrize("name", SINGLE_OPERATION_NAMES)
def test_both_executors_agree_on_generated_images(name: OperationName) -> None:
    assert_executors_agree(name, generated_images(side_px=49))


@pytest.mark.skipif(not TRASHNET.is_dir(), reason="shared/data/trashnet is absent")
@pytest.mark.parametrize("name", SINGLE_OPERATION_NAMES)
def test_both_executors_agree_on_photographs(name: OperationName) -> None:
    assert_executors_agree(name, photographs(side_px=96))


def test_all_geometric_operations_together_are_the_same_map_in_both_executors() -> None:
    policy = policy_of("ShearY", "TranslateX", "Rotate", "ShearX", "TranslateY")
    draw = draw_of(0.3, 0.2, -25.0, -0.25, 0.1)
    for image in generated_images(side_px=64):
        changed = by_torch(image, policy, draw, batch.masked).astype(int)
        assert np.abs(changed - single.apply_draw(image, policy, draw)).mean() < 1.0


def test_every_operation_is_defined() -> None:
    assert set(OPERATIONS) == set(OPERATION_NAMES)


@pytest.mark.parametrize("name", [name for name in SINGLE_OPERATION_NAMES if OPERATIONS[name].full])
def test_magnitude_zero_changes_nothing(name: OperationName) -> None:
    for image in generated_images(side_px=32):
        np.testing.assert_array_equal(by_torch(image, policy_of(name), draw_of(0.0), batch.masked), image)


def test_the_ranges_are_those_of_the_competition() -> None:
    full = {name: definition.full for name, definition in OPERATIONS.items() if definition.full}
    assert full == {
        **dict.fromkeys(("Contrast", "Sharpness", "Color", "Brightness"), 0.9),
        "Rotate": 30.0,
        **dict.fromkeys(("TranslateX", "TranslateY"), 150 / 331),
        **dict.fromkeys(("ShearX", "ShearY"), 0.3),
        "Solarize": 256.0,
        "Posterize": 4.0,
        **dict.fromkeys(("Cutout", "MixUp", "CutMix"), 0.5),
    }
    signed = {name for name, definition in OPERATIONS.items() if definition.signed}
    geometric = {name for name, definition in OPERATIONS.items() if isinstance(definition, AffineDefinition)}
    assert signed == geometric | {"Contrast", "Sharpness", "Color", "Brightness"}


def test_a_shift_brings_in_black_and_moves_whole_pixels() -> None:
    image = generated_images(side_px=40)[2]
    changed = by_torch(image, policy_of("TranslateX"), draw_of(0.25), batch.selected)
    np.testing.assert_array_equal(changed[:, 10:], image[:, :30])
    assert not changed[:, :10].any()


def test_cutout_blackens_one_whole_square() -> None:
    image = np.full((40, 40, 3), 200, np.uint8)
    changed = by_torch(image, policy_of("Cutout"), draw_of(0.25), batch.selected)
    rows, columns = (np.unique(axis) for axis in np.nonzero(changed[:, :, 0] == 0))
    assert (changed == 0).sum() == 10 * 10 * 3
    assert (rows[0], columns[0]) == (9, 24)  # floor(0.3 * 31), floor(0.8 * 31)
    assert (len(rows), len(columns)) == (10, 10)


@pytest.mark.parametrize("name", BATCH_OPERATION_NAMES)
def test_the_labels_follow_the_share_of_the_partners_pixels(name: OperationName) -> None:
    images = torch.stack([torch.full((3, 40, 40), level, dtype=torch.uint8) for level in (0, 100, 200)])
    mixed, targets = batch.apply_draw(
        images, torch.eye(3), policy=policy_of(name), draw=draw_of(0.3, n=3), dispatch=batch.masked
    )
    assert isinstance(OPERATIONS[name], MixDefinition)
    shown = targets @ torch.tensor([0.0, 100.0, 200.0])
    torch.testing.assert_close(mixed.float().mean((1, 2, 3)), shown, atol=0.5, rtol=0)
    torch.testing.assert_close(targets.sum(1), torch.ones(3))
    assert targets[0].argmax() == 0
    assert targets[0, 2] == pytest.approx(0.3, abs=0.02)
