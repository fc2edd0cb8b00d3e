"""The competition's model format: an architecture and its image size, to YAML and back, mistakes by their line."""

import math
from dataclasses import dataclass

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from search.contract.candidate import MOST_REPEATS, Architecture, Layer

_TYPES = {f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str")}
_FIELDS = ("input_channel", "depth_multiple", "width_multiple", "INPUT_SIZE", "backbone")
_MOST = 65536
_LINE = "a line of the backbone is [repeat, module, arguments], as [1, Conv, [16, 3, 2]]"


class ArchitectureTextError(ValueError):
    """The text is no architecture: ``line`` of it, counted from 1, and the reason."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(line, reason)
        self.line, self.reason = line, reason

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


@dataclass(frozen=True, kw_only=True)
class ArchitectureText:
    """What a text holds. ``side_px`` is None where it names no INPUT_SIZE; ``lines`` says where each layer stands."""

    architecture: Architecture
    side_px: int | None
    lines: tuple[int, ...]


def write_architecture(architecture: Architecture, *, side_px: int) -> str:
    """YAML as the competition wrote it, a line a layer: repeat, module, arguments."""
    layers = "".join(f"  - {_flow(layer)}\n" for layer in architecture.backbone)
    return (
        f"input_channel: {architecture.input_channels}\n"
        f"depth_multiple: {_flow(architecture.depth_multiple)}\n"
        f"width_multiple: {_flow(architecture.width_multiple)}\n"
        f"INPUT_SIZE: {side_px}\n"
        f"backbone:\n{layers}"
    )


def read_architecture(text: str) -> ArchitectureText:
    """What ``write_architecture`` wrote, or a person. Whether its modules exist and fit is for workers.models to say.

    ArchitectureTextError for the first mistake.
    """
    fields = _fields(_root(text))
    if "backbone" not in fields:
        raise ArchitectureTextError(1, "backbone is missing: the list of layers")
    layers = _backbone(fields["backbone"])
    architecture = Architecture(
        input_channels=_whole(fields, "input_channel", 3),
        depth_multiple=_multiple(fields, "depth_multiple"),
        width_multiple=_multiple(fields, "width_multiple"),
        backbone=tuple(layer for _, layer in layers),
    )
    side_px = _whole(fields, "INPUT_SIZE", 0) if "INPUT_SIZE" in fields else None
    return ArchitectureText(architecture=architecture, side_px=side_px, lines=tuple(line for line, _ in layers))


def _flow(value: object) -> str:
    plain = [value[0], value[1], list(value[2])] if isinstance(value, tuple) else value
    text: str = yaml.safe_dump(plain, default_flow_style=True, width=math.inf)
    return text.removesuffix("...\n").strip()


def _root(text: str) -> Node:
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.reader.ReaderError as error:
        raise ArchitectureTextError(text[: error.position].count("\n") + 1, f"no YAML: {error.reason}") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ArchitectureTextError(mark.line + 1 if mark else 1, f"no YAML: {error.problem}") from error
    except RecursionError as error:
        raise ArchitectureTextError(1, "no architecture: lists within lists without end") from error
    if root is None:
        raise ArchitectureTextError(1, "the file is empty")
    return root


def _at(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _fields(root: Node) -> dict[str, Node]:
    if not isinstance(root, MappingNode):
        raise ArchitectureTextError(_at(root), f"no mapping: an architecture has {', '.join(_FIELDS)}")
    fields: dict[str, Node] = {}
    for key, value in root.value:
        if key.value not in _FIELDS:
            raise ArchitectureTextError(_at(key), f"unknown field {_shown(key)}; known: {', '.join(_FIELDS)}")
        if key.value in fields:
            raise ArchitectureTextError(_at(key), f"{key.value} is there twice")
        fields[key.value] = value
    return fields


def _backbone(node: Node) -> list[tuple[int, Layer]]:
    if not isinstance(node, SequenceNode) or not node.value:
        raise ArchitectureTextError(_at(node), f"backbone must be a list of layers; {_LINE}")
    return [(_at(item), _layer(item)) for item in node.value]


def _layer(node: Node) -> Layer:
    if not isinstance(node, SequenceNode) or len(node.value) != 3:
        raise ArchitectureTextError(_at(node), f"{_LINE}, got {_shown(node)}")
    repeat, module, arguments = node.value
    if not isinstance(arguments, SequenceNode):
        raise ArchitectureTextError(_at(arguments), f"the arguments are a list, [] for none, got {_shown(arguments)}")
    count, name = _scalar(repeat), _scalar(module)
    if type(count) is not int or not 1 <= count <= MOST_REPEATS:
        reason = f"repeat is a whole number from 1 to {MOST_REPEATS}, got {_shown(repeat)}"
        raise ArchitectureTextError(_at(repeat), reason)
    if not isinstance(name, str):
        raise ArchitectureTextError(_at(module), f"a module is named by a word, got {_shown(module)}")
    return (count, name, tuple(_scalar(argument) for argument in arguments.value))


def _whole(fields: dict[str, Node], name: str, default: int) -> int:
    if name not in fields:
        return default
    value = _scalar(fields[name])
    if type(value) is not int or not 1 <= value <= _MOST:
        reason = f"{name} is a whole number from 1 to {_MOST}, got {_shown(fields[name])}"
        raise ArchitectureTextError(_at(fields[name]), reason)
    return value


def _multiple(fields: dict[str, Node], name: str) -> float:
    if name not in fields:
        return 1.0
    value = _scalar(fields[name])
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 100:
        raise ArchitectureTextError(_at(fields[name]), f"{name} is a number above 0, got {_shown(fields[name])}")
    return float(value)


def _scalar(node: Node) -> bool | int | float | str | None:
    if not isinstance(node, ScalarNode) or node.tag not in _TYPES:
        raise ArchitectureTextError(_at(node), f"a number, a word, true, false or null is meant, got {_shown(node)}")
    try:
        value: bool | int | float | str | None = yaml.constructor.SafeConstructor().construct_object(node)
    except ValueError as error:
        raise ArchitectureTextError(_at(node), f"no value: {_shown(node)}") from error
    if isinstance(value, float) and not math.isfinite(value):
        raise ArchitectureTextError(_at(node), f"numbers are finite, got {_shown(node)}")
    return value


def _shown(node: Node) -> str:
    """A node as a short text."""
    if isinstance(node, ScalarNode):
        return repr(str(node.value)[:40])
    return "a mapping" if isinstance(node, MappingNode) else f"a list of {len(node.value)}"
