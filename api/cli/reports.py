"""Reports of the worker processes that the commands start, as they print them: JSON on standard output."""

from pydantic import BaseModel, ConfigDict

from search.contract.dataset_report import Skipped
from search.contract.latency import Latency


class Report(BaseModel):
    model_config = ConfigDict(frozen=True)


class RuntimeStatus(Report):
    """A runtime: the files that it takes, and its version, or how to install it if it is missing."""

    runtime: str
    takes: str
    version: str | None
    missing: str | None


class RuntimeList(Report):
    """``python -m workers.latency`` with ``list``."""

    runtimes: tuple[RuntimeStatus, ...]


class BenchRow(Report):
    """One model in one runtime. ``images_per_s`` is by batch size, None where the file takes one image only."""

    model: str
    runtime: str
    runtime_version: str
    place: int
    ties: bool
    speed_up: float
    latency: Latency
    images_per_s: dict[str, float | None]
    peak_memory_bytes: int


class Bench(Report):
    """``python -m workers.latency``."""

    host: str
    threads: int
    rows: tuple[BenchRow, ...]


class ImagePrediction(Report):
    """``label`` is the image's class where the images are in class folders."""

    name: str
    predicted: str
    probability: float
    label: str | None


class Inference(Report):
    """``python -m workers.inference``. ``unreadable`` are names with reasons; f1 and score need labels."""

    predictions: tuple[ImagePrediction, ...]
    unreadable: tuple[tuple[str, str], ...]
    total_s: float
    inference_s: float
    f1: float | None
    score: float | None


class LayerCost(Report):
    """The costs of one line of a backbone for one image; ``shape`` is (channels, height, width) of its output."""

    macs: int
    params: int
    activations: int
    activation_bytes: int
    shape: tuple[int, ...]


class NetworkCosts(Report):
    """``python -m workers.models``: layers and totals, or the ``problem`` with the number of its layer, from 1."""

    layers: tuple[LayerCost, ...] = ()
    totals: dict[str, int] = {}
    problem: str | None = None
    layer: int | None = None


class AugmentedPart(Report):
    """A line of ``python -m workers.augmentation``: ``done`` of ``total`` originals, and the images of this part."""

    done: int
    total: int
    images: int
    skipped: tuple[Skipped, ...]


class WeightsReport(Report):
    """``python -m workers.models.weights_file``: what is known of a file of weights, or its ``problem``."""

    problem: str | None = None
    network: str | None = None
    origin: str | None = None
    license: str | None = None
