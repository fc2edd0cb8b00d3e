"""Random networks of every preset: each builds, or is ruled out with its reason, and its macs are those of PyTorch.

A network is drawn as a study's trial is, at a side by chance, and profiled; one of so many is then built whole on the
meta device, where torch.utils.flop_counter counts it. What is drawn again is looked at once. Exits with 1 if any
network fails otherwise or any count differs.
"""

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.parts.machine import describe
from search.contract.candidate import Candidate, UnbuildableError
from search.samplers.frontier.points import PreferringChooser
from search.spaces.presets import PRESETS
from search.study.draw import draw
from search.study.space_spec import SpaceSpec
from workers.models import ModelCost, build_network, profile

SIDES_PX = [32, 33, 64, 96, 128, 224]
#: The networks of one task of a process.
_TOGETHER = 500


@dataclass
class Found:
    """What became of the networks that differ, each named by its side and architecture."""

    built: set[str] = field(default_factory=set)
    counted: int = 0
    ruled_out: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    profile_s: float = 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=10_000, help="of each preset")
    parser.add_argument("--every", type=int, default=10, help="how many are profiled for one that is counted")
    parser.add_argument("--presets", nargs="+", choices=sorted(PRESETS), default=sorted(PRESETS))
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    print(f"{describe()}; {options.networks} networks of each preset, sides of {SIDES_PX} px")
    wrong: list[str] = []
    with ProcessPoolExecutor(options.processes) as pool:
        for preset in options.presets:
            counts = [min(_TOGETHER, options.networks - start) for start in range(0, options.networks, _TOGETHER)]
            parts = list(pool.map(partial(_looked_at, preset, options.every), range(len(counts)), counts))
            _print(preset, parts)
            wrong += [complaint for part in parts for complaint in part.wrong]
    print("\n".join(wrong) or "every network is built or ruled out, every count agrees")
    sys.exit(1 if wrong else 0)


def _looked_at(preset: str, every: int, seed: int, count: int) -> Found:
    """So many networks of the preset, those that differ."""
    torch.set_num_threads(1)
    space = SpaceSpec.model_validate({"architecture": preset, "image_size": SIDES_PX})
    rng, found = np.random.default_rng(seed), Found()
    for _ in range(count):
        candidate = draw(space, PreferringChooser(preferred={}, rng=rng), classes=6)
        key = f"{candidate.image_size} {candidate.architecture.model_dump_json()}"
        if key not in found.built and key not in found.ruled_out:
            _look(candidate, key, found, count=len(found.built) % every == 0)
    return found


def _look(candidate: Candidate, key: str, found: Found, *, count: bool) -> None:
    started_s = time.perf_counter()
    try:
        cost = profile(candidate)
    except UnbuildableError as error:
        found.ruled_out[key] = str(error)
        return
    except Exception as error:  # whatever it is, it is what is looked for
        found.wrong.append(f"{key}: {error!r}")
        return
    finally:
        found.profile_s += time.perf_counter() - started_s
    found.built.add(key)
    if count:
        found.counted += 1
        _count(candidate, cost, key, found)


def _count(candidate: Candidate, cost: ModelCost, key: str, found: Found) -> None:
    network = build_network(candidate.architecture, device="meta").eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.empty(1, 3, candidate.image_size, candidate.image_size, device="meta"))
    macs, params = counter.get_total_flops() / 2, sum(parameter.numel() for parameter in network.parameters())
    if (cost.macs, cost.params) != (macs, params):
        found.wrong.append(f"{key}: {cost.macs:g} macs for {macs:g}, {cost.params:g} params for {params:g}")


def _print(preset: str, parts: list[Found]) -> None:
    built = set().union(*(part.built for part in parts))
    ruled_out = {key: reason for part in parts for key, reason in part.ruled_out.items()}
    looked = sum(len(part.built) + len(part.ruled_out) for part in parts)
    each_ms = 1000 * sum(part.profile_s for part in parts) / max(looked, 1)
    wrong = sum(len(part.wrong) for part in parts)
    counted = sum(part.counted for part in parts)
    print(
        f"{preset:22} {len(built):6} built, {counted} of them counted, {len(ruled_out)} ruled out, {wrong} wrong; "
        f"{each_ms:.1f} ms a profile",
        flush=True,
    )
    for reason, count in Counter(ruled_out.values()).most_common(2):
        print(f"  {count} times: {reason.splitlines()[0]}")


if __name__ == "__main__":
    main()
