"""The benchmark slot as a Ray actor: one a host, it times exported files and networks while nothing else runs there.

The actor takes no core of Ray's: the HostGate stops the work of that host's trials and fine-tunings instead, for as
long as a measurement takes. So a trial may wait for the slot without locking up a host whose cores are all taken.
``workers/hosts.py`` says which host times what.
"""

from dataclasses import asdict
from typing import Any

from search.candidate import Architecture
from search.targets import TargetSpec
from workers.export import load_weights
from workers.latency.gate import HostGate
from workers.latency.host import this_host
from workers.latency.protocol import QUICK, THOROUGH, measure
from workers.latency.runtimes import CPU, EAGER, Eager, Runtime
from workers.latency.subject import model_subject

_TIMEOUT_S = 300.0

Timing = dict[str, Any]


class BenchmarkSlot:
    """Each method returns one dict of ``latency.Latency``'s fields for each subject, with the host's label."""

    def time_file(self, model: bytes, *, target: TargetSpec) -> Timing:
        """A quick look at one ONNX file, for trials."""
        timings = measure(
            [model_subject("trial", CPU, model)],
            threads=target.threads,
            gate=HostGate(),
            effort=QUICK,
            timeout_s=_TIMEOUT_S,
        )
        return {**asdict(timings[0]), "host": _host(CPU, target)}

    def time_variant(self, variant: bytes, parent: bytes, *, target: TargetSpec) -> Timing:
        """A thorough measurement of a variant's ONNX file, interleaved with its parent's as the reference."""
        subjects = [model_subject("variant", CPU, variant), model_subject("parent", CPU, parent)]
        timings = measure(subjects, threads=target.threads, gate=HostGate(), effort=THOROUGH, timeout_s=_TIMEOUT_S)
        return {
            **asdict(timings[0]),
            "parent_ms": timings[1].p50_ms,
            "host": _host(CPU, target),
        }

    def time_eager(self, architecture: dict[str, Any], weights: bytes, side_px: int, *, target: TargetSpec) -> Timing:
        """A thorough measurement of the trial's own network in eager PyTorch."""
        from workers.models import build_network

        def make() -> Any:
            network = build_network(Architecture.model_validate(architecture), pretrained=False)
            load_weights(network, weights)
            return network

        subject = model_subject("eager", EAGER, Eager(make=make, shape=(1, 3, side_px, side_px)))
        timings = measure([subject], threads=target.threads, gate=HostGate(), effort=THOROUGH, timeout_s=_TIMEOUT_S)
        return {**asdict(timings[0]), "host": _host(EAGER, target)}


def _host(runtime: Runtime, target: TargetSpec) -> str:
    return target.name_host(this_host(runtime=runtime, threads=target.threads).label)
