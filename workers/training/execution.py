"""How a unit of work is run again and again: eagerly, or captured once as a CUDA graph and replayed.

A unit of work takes and returns nothing: it reads and writes tensors whose memory stays where it is, and never waits
for the device. https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
"""

from collections.abc import Callable

import torch

from workers.training.device import stream_for
from workers.training.state import TrainingState

Work = Callable[[], None]
#: Makes of a unit of work, and the state that it changes, what runs it; the state is the same afterwards.
Execution = Callable[[Work, TrainingState], Work]


def eager(work: Work, state: TrainingState) -> Work:
    """As it is."""
    return work


def cuda_graph(work: Work, state: TrainingState) -> Work:
    """Captured as one CUDA graph, which is replayed. torch.OutOfMemoryError where it does not fit."""
    stream = stream_for("capture", state.device)
    stream.wait_stream(torch.cuda.current_stream(state.device))
    with torch.cuda.stream(stream):
        rehearse(work, state)
    torch.cuda.current_stream(state.device).wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    for generator in state.own_generators:
        graph.register_generator_state(generator)
    try:
        with torch.cuda.graph(graph, stream=stream):
            work()
    except RuntimeError as error:
        # Out of memory breaks the capture, and the end of a broken capture raises an error of its own.
        if isinstance(error.__context__, torch.OutOfMemoryError):
            raise error.__context__ from None
        raise
    return graph.replay


def rehearse(work: Work, state: TrainingState) -> None:
    """Run the work once, so that libraries set themselves up, and undo what it did to the state."""
    before = state.copy()
    work()
    state.restore(before)


def execution_for(device: torch.device) -> Execution:
    return cuda_graph if device.type == "cuda" else eager
