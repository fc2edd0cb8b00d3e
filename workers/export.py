"""From a PyTorch network to an ONNX file, a ``.pt2`` program or a file of its weights."""

import copy
import io
import logging
import warnings
from typing import cast

import onnx
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import nn

from workers.predictors import INPUT, OUTPUT


def to_onnx(network: nn.Module, side_px: int) -> bytes:
    """Export for batch 1: input ``images`` float32 [1, 3, side, side] in [0, 1], output ``logits`` [1, classes].

    https://docs.pytorch.org/docs/stable/onnx.html
    """
    network.eval()
    example = torch.zeros(1, 3, side_px, side_px)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        # The exporter warns about its own use of deprecated PyTorch functions.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network, (example,), input_names=[INPUT], output_names=[OUTPUT], dynamo=True, verbose=False
        )
    assert program is not None
    return _without_traces(program.model_proto)


def to_program(network: nn.Module, side_px: int) -> bytes:
    """The network as a ``.pt2`` file, which PyTorch runs without its classes: ``torch.export.load(file).module()``.

    Batch 1, the same input and output as the ONNX file. https://docs.pytorch.org/docs/stable/export.html
    """
    plain = copy.deepcopy(network).eval()
    for tensor in (*plain.parameters(), *plain.buffers()):
        # The format keeps neither views of larger tensors nor other memory formats.
        tensor.data = tensor.data.clone(memory_format=torch.contiguous_format)
    buffer = io.BytesIO()
    torch.export.save(torch.export.export(plain, (torch.zeros(1, 3, side_px, side_px),)), buffer)
    return buffer.getvalue()


def _without_traces(model: onnx.ModelProto) -> bytes:
    """The exporter notes for each node where it came from: a tenth of a small model's size, of no use to a user."""
    graph = model.graph
    for part in (*graph.node, *graph.initializer, *graph.input, *graph.output):
        part.doc_string = ""
        del part.metadata_props[:]
    del graph.value_info[:]
    return cast(bytes, model.SerializeToString())


def quick_onnx(network: nn.Module, side_px: int) -> bytes:
    """The same computation as ``to_onnx``, in a twentieth of the time, for a look at a trial's latency.

    The TorchScript exporter is deprecated and leaves the graph as it traced it; ONNX Runtime makes both equally fast.
    """
    network.eval()
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (torch.zeros(1, 3, side_px, side_px),),
            buffer,  # type: ignore[arg-type]  # any file object will do
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamo=False,
        )
    return buffer.getvalue()


def save_weights(network: nn.Module) -> bytes:
    """The network's weights and buffers as a safetensors file."""
    saved: bytes = save_tensors({name: tensor.contiguous() for name, tensor in network.state_dict().items()})
    return saved


def load_weights(network: nn.Module, weights: bytes) -> None:
    """Fill ``network`` from a safetensors file; RuntimeError if names or shapes differ."""
    network.load_state_dict(load_tensors(weights))
