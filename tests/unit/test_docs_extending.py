"""The examples of docs/extending.md, added to a copy of Seedleaf as the page says, and used."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r'^```python title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)

_USE = """
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch

from search.contract.augmentation import Policy
from search.contract.candidate import Architecture, Candidate
from search.contract.dataset import DatasetSpec
from search.contract.recipes import Recipe
from search.contract.targets import TargetSpec
from workers.augmentation.batch import BatchAugmenter
from workers.augmentation.kinds import Drawn
from workers.augmentation.operations import OPERATIONS
from workers.compression.techniques import NETWORK_TECHNIQUES
from workers.data import load_dataset
from workers.export import quick_onnx
from workers.latency.runtimes import RUNTIMES
from workers.models import build_network, profile

backbone = ((1, "DilatedConv", (16, 2)), (2, "DilatedConv", (16,)), (1, "GlobalAvgPool", ()), (1, "FixedConv", (3,)))
architecture = Architecture(backbone=backbone)
network = build_network(architecture).eval()
assert network(torch.zeros(1, 3, 32, 32)).shape == (1, 3)
candidate = Candidate(
    architecture=architecture, image_size=32, batch_size=8, learning_rate=0.1, optimizer="sgd"
)
assert profile(candidate).params == sum(parameter.numel() for parameter in network.parameters())

policy = Policy.model_validate({"operations": [{"name": "Gamma", "magnitude": 1.0}], "max_ops": 1})
images = torch.full((16, 3, 4, 4), 128, dtype=torch.uint8)
changed, _ = BatchAugmenter(policy, torch.Generator().manual_seed(0))(images, torch.eye(16))
assert changed.unique().tolist() == [64, 181]
drawn = Drawn(value=torch.tensor([-1.0]), position=torch.zeros(1, 2))
assert np.unique(OPERATIONS["Gamma"].single(np.full((4, 4, 3), 128, np.uint8), drawn)).tolist() == [181]

steps = [{"technique": "weight_clipping", "deviations": 1}, {"technique": "static_int8"}]
(clipping, _) = Recipe.model_validate({"name": "clipped-int8", "steps": steps}).steps
largest = network.classifier.weight.abs().max()
NETWORK_TECHNIQUES[clipping.technique](clipping, SimpleNamespace(network=network))
assert network.classifier.weight.abs().max() < largest

image = np.random.default_rng(0).random((1, 3, 32, 32), dtype=np.float32)
session = RUNTIMES["onnx-reference"].open(quick_onnx(network, 32), 1)
with torch.inference_mode():
    expected = network(torch.from_numpy(image)).numpy()
assert session.shape == image.shape
np.testing.assert_allclose(session.run(image), expected, rtol=1e-3, atol=1e-4)
assert TargetSpec(runtime="onnx-reference").threads == 1

dataset = load_dataset(DatasetSpec(source="tiles", test_fraction=0), side_px=8, cache_dir=Path("cache"))
assert dataset.classes == ("grey", "white")
assert sorted(dataset.images[:, 0, 0, 0].tolist()) == [*range(100, 110), *range(200, 210)]
print("used")
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Seedleaf with what the page adds."""
    for package in ("search", "workers"):
        shutil.copytree(_ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    for title, content in _FENCE.findall((_ROOT / "docs" / "extending.md").read_text()):
        path = tmp_path / title
        assert not path.exists(), title
        path.write_text(content)
    return tmp_path


def test_what_the_page_adds_can_be_used(copy: Path) -> None:
    (copy / "use.py").write_text(_USE)
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    done = subprocess.run(
        [sys.executable, "use.py"], cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == "used\n", done.stderr
