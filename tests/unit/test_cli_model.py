"""``seedleaf model show``: a row a layer, the totals, and mistakes by the line of the file."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.cli.errors import CommandError
from api.cli.main import app
from api.cli.model import HEADERS, row
from api.cli.reports import LayerCost
from search.spaces.model_yaml import read_architecture
from workers.models import ArchitectureError
from workers.models.__main__ import costs

SOUND = """\
input_channel: 3
INPUT_SIZE: 8
backbone:
  # a comment
  - [1, Conv, [8, 3, 2]]
  - [2, InvertedResidualv3, [3, 2, 16, 1, 0, 2]]
  - [1, GlobalAvgPool, []]
  - [1, Flatten, []]
  - [1, Linear, [5]]
"""


def show(folder: Path, text: str, *options: str) -> Any:
    path = folder / "model.yaml"
    path.write_text(text)
    return CliRunner().invoke(app, ["model", "show", str(path), *options])


def failure(folder: Path, text: str, *options: str) -> str:
    """What it says after the file's name."""
    error = show(folder, text, *options).exception
    assert isinstance(error, CommandError), error
    assert str(error).startswith(str(folder / "model.yaml"))
    assert "\n" not in str(error)
    return str(error).removeprefix(str(folder / "model.yaml"))


def test_a_layer_is_a_row_of_a_table() -> None:
    cost = LayerCost(macs=3456, params=232, activations=128, activation_bytes=1280, shape=(8, 4, 4))
    layer = (2, "Conv", (8, 3, 2, None, 1, "ReLU"))
    assert dict(zip(HEADERS, row(1, layer, cost), strict=True)) == {
        "#": "1",
        "repeat": "2",
        "module": "Conv",
        "arguments": "8, 3, 2, null, 1, ReLU",
        "output": "8 x 4 x 4",
        "macs": "3,456",
        "params": "232",
    }


def test_a_pretrained_network_fits_into_80_columns_and_is_named_once(tmp_path: Path) -> None:
    name = "tf_efficientnet_lite0"
    stages = "\n".join(
        f"  - [1, TimmStage, [{name}, {number}, {blocks}, 0.375]]"
        for number, blocks in enumerate((1, 2, 2, 3, 3, 4, 1), start=1)
    )
    lines = f"  - [1, TimmStem, [{name}, 0.375, default]]\n{stages}\n  - [1, TimmHead, [{name}, 0.375]]"
    shown = show(tmp_path, f"INPUT_SIZE: 96\nbackbone:\n{lines}\n  - [1, GlobalAvgPool, []]\n  - [1, FixedConv, [6]]\n")
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.count(name) == 1
    assert max(map(len, shown.stdout.splitlines())) <= 80


def test_json_has_the_layers_and_the_totals(tmp_path: Path) -> None:
    report = json.loads(show(tmp_path, SOUND, "--classes", "5", "--format", "json").output)
    assert report["layers"][0] == {
        "repeat": 1,
        "module": "Conv",
        "arguments": [8, 3, 2],
        "macs": 3456,
        "params": 232,
        "activations": 128,
        "activation_bytes": 4 * (3 * 64 + 8 * 16),
        "shape": [8, 4, 4],
    }
    assert report["totals"]["macs"] == sum(layer["macs"] for layer in report["layers"])
    assert report["totals"]["params"] == sum(layer["params"] for layer in report["layers"])


def test_a_network_that_does_not_work_is_told_by_its_line(tmp_path: Path) -> None:
    text = SOUND.replace("[8, 3, 2]", "[8, 9, 1, 0]")
    assert failure(tmp_path, text).startswith(", line 5: layer 1 [1, 'Conv', [8, 9, 1, 0]]: Calculated padded")


def test_a_network_with_another_number_of_outputs_than_classes_does_not_work() -> None:
    architecture = read_architecture(SOUND).architecture
    with pytest.raises(ArchitectureError, match="the network ends with 5 outputs, not with 7 classes") as caught:
        costs(architecture, 8, 7)
    assert caught.value.layer == 5


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (SOUND.replace("[1, Flatten, []]", "[1, Flatten]"), ", line 8: a line of the backbone is [repeat, module, arg"),
        (SOUND.replace("[8, 3, 2]", "[8, 3, 2"), ", line 6: no YAML: "),
        (
            SOUND.replace("INPUT_SIZE: 8\n", ""),
            " names no INPUT_SIZE: add the image's side in pixels, as INPUT_SIZE: 96",
        ),
    ],
)
def test_a_file_that_is_no_architecture_is_told_by_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    assert failure(tmp_path, text).startswith(complaint)


def test_a_file_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["model", "show", str(tmp_path / "none.yaml")])
    assert "none.yaml cannot be read" in str(result.exception)
