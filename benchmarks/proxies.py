"""Zero-cost proxies on NAS-Bench-Macro: do they tell of a network's accuracy what its params and macs do not?

Networks of the table are built with fresh weights and looked at once, on a batch of pictures, before any training. Each
signal's rank correlation with the accuracy is printed, params and macs among them, and then how well the accuracy of
unseen networks is predicted by frontier's model from 50 others, with each signal beside the choices, macs and params.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from benchmarks.parts.machine import describe
from search.contract.dataset import DatasetSpec
from search.samplers.frontier.encoding import Standardizer
from search.samplers.frontier.kernel import Kernel
from search.samplers.frontier.surrogate import Surrogate
from search.samplers.optuna_trials import Replay
from search.spaces.draw import draw_architecture
from search.spaces.nas_bench_macro import DIGITS, NAS_BENCH_MACRO
from services.settings import settings
from workers.data import load_dataset
from workers.models import Network, build_network

SIDE_PX, CLASSES, BATCH, OBSERVED = 32, 10, 16, 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", type=Path, default=Path("../shared/data/nas-bench-macro/cifar10.json"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data/trashnet"), help="pictures to look at")
    parser.add_argument("--networks", type=int, default=120)
    options = parser.parse_args()
    table, rng = json.loads(options.table.read_text()), np.random.default_rng(0)
    codes = [str(code) for code in rng.choice(sorted(table), options.networks, replace=False)]
    accuracy = np.asarray([np.mean(table[code]["test_accuracy_pct"]) for code in codes])
    batches = _batches(options.data, rng)
    print(f"{describe()}; {options.networks} networks, {BATCH} pictures of {SIDE_PX} px a batch")
    signals = {"params": _logs(table, codes, "params"), "macs": _logs(table, codes, "flops")}
    for name, proxy in PROXIES.items():
        started_s = time.perf_counter()
        signals[name] = np.asarray([proxy(_network(code), batches) for code in codes])
        print(f"{name}: {(time.perf_counter() - started_s) / len(codes):.2f} s a network")
    choices = np.asarray([[float(digit == choice) for digit in code for choice in "012"] for code in codes])
    base = np.column_stack([choices, signals["params"], signals["macs"]])
    print(f"choices, params and macs: unseen accuracy to {_unseen_error(base, accuracy):.3f} points")
    for name, values in signals.items():
        error = _unseen_error(np.column_stack([base, values]), accuracy)
        print(f"{name:13} rank correlation {spearmanr(values, accuracy).statistic:+.3f}; with it {error:.3f} points")


def _logs(table: dict[str, dict[str, float]], codes: list[str], cost: str) -> np.ndarray:
    return np.log([table[code][cost] for code in codes])


def _unseen_error(features: np.ndarray, accuracy: np.ndarray) -> float:
    """Median over 10 splits of the mean error, in points of accuracy, of networks that were not observed."""
    errors = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(accuracy))
        observed, unseen = order[:OBSERVED], order[OBSERVED:]
        scaled = Standardizer(features)(features)
        kernel = Kernel.prior((np.arange(scaled.shape[1]),))
        surrogate = Surrogate(scaled[observed], accuracy[observed], np.zeros(OBSERVED), rng, initial_kernel=kernel)
        (prediction,) = surrogate.predict(scaled[unseen])
        errors.append(float(np.abs(prediction.mean - accuracy[unseen]).mean()))
    return median(errors)


def _network(code: str) -> Network:
    names = {digit: name for name, digit in DIGITS.items()}
    choices = {f"layer{number}.block": names[int(digit)] for number, digit in enumerate(code, start=1)}
    torch.manual_seed(0)
    return build_network(draw_architecture(NAS_BENCH_MACRO, Replay(values=choices), side_px=SIDE_PX, classes=CLASSES))


def _batches(data: Path, rng: np.random.Generator) -> list[tuple[Tensor, Tensor]]:
    dataset = load_dataset(
        DatasetSpec(source="folder", path=str(data), test_fraction=0), side_px=SIDE_PX, cache_dir=settings().cache_dir
    )
    found = []
    for _ in range(2):
        chosen = rng.choice(len(dataset.labels), BATCH, replace=False)
        images = torch.from_numpy(np.asarray(dataset.images[chosen])).permute(0, 3, 1, 2).float() / 255
        found.append((images, torch.from_numpy(np.asarray(dataset.labels[chosen])).long()))
    return found


def nwot(network: Network, batches: list[tuple[Tensor, Tensor]]) -> float:
    """How differently pictures switch the ReLUs: the log determinant of their agreement (Mellor et al., ICML 2021)."""
    agreement = torch.zeros(BATCH, BATCH, dtype=torch.float64)

    def note(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        on = (output.detach() > 0).flatten(1).double()
        agreement.add_(on @ on.T + (1 - on) @ (1 - on).T)

    for module in network.modules():
        if isinstance(module, nn.ReLU | nn.ReLU6):
            module.register_forward_hook(note)
    with torch.no_grad():
        network.train()(batches[0][0])
    return float(torch.linalg.slogdet(agreement).logabsdet)


def synflow(network: Network, batches: list[tuple[Tensor, Tensor]]) -> float:
    """What flows through absolute weights (Tanaka et al., NeurIPS 2020), without normalization; its logarithm."""
    network = network.eval().double()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.forward = _unchanged  # type: ignore[assignment,method-assign]  # for this measurement only
    for parameter in network.parameters():
        parameter.data.abs_()
    network(torch.ones(1, 3, SIDE_PX, SIDE_PX, dtype=torch.float64)).sum().backward()
    flow = sum(float((p * p.grad).detach().abs().sum()) for p in network.parameters() if p.grad is not None)
    return float(np.log(flow))


def _unchanged(images: Tensor) -> Tensor:
    return images


def gradient_norm(network: Network, batches: list[tuple[Tensor, Tensor]]) -> float:
    """The norm of the loss's gradient (Abdelfattah et al., ICLR 2021)."""
    return sum(float(gradient.norm()) for gradient in _gradients(network, batches[0]))


def zico(network: Network, batches: list[tuple[Tensor, Tensor]]) -> float:
    """Gradients that are large and alike in two batches (Li et al., ICLR 2023)."""
    pairs = zip(*(_gradients(network, batch) for batch in batches), strict=True)
    total = 0.0
    for first, second in pairs:
        size, deviation = (first.abs() + second.abs()) / 2, (first - second).abs() / 2
        moved = deviation > 0
        if moved.any():
            total += float(torch.log((size[moved] / deviation[moved]).sum()))
    return total


def _gradients(network: Network, batch: tuple[Tensor, Tensor]) -> list[Tensor]:
    weights = [m.weight for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    loss = nn.functional.cross_entropy(network.train()(batch[0]), batch[1])
    return list(torch.autograd.grad(loss, weights))


PROXIES: dict[str, Callable[[Network, list[tuple[Tensor, Tensor]]], float]] = {
    "nwot": nwot,
    "synflow": synflow,
    "gradient norm": gradient_norm,
    "zico": zico,
}


if __name__ == "__main__":
    main()
