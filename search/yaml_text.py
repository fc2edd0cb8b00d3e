"""YAML that people write, read into plain data."""

import re
from typing import Any

import yaml

_MOST_VALUES = 20_000
_MOST_LEVELS = 64


class YamlError(ValueError):
    """The text is no YAML, or YAML that is not taken here; the message says where."""


class _Loader(yaml.SafeLoader):
    """YAML that holds what JSON holds, of a bounded size.

    It takes 1e-3 for a number and 2020-01-01 for a text, as YAML 1.2 does and PyYAML does not. It takes no aliases,
    which can stand for gigabytes, no tags, which ask for other types, and no numbers in base 60.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._values = self._levels = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        self._values += 1
        if isinstance(event, yaml.AliasEvent):
            problem = "aliases (*) are not taken"
        elif isinstance(event, yaml.NodeEvent) and getattr(event, "tag", None) not in (None, "!"):
            problem = "tags (!) are not taken"
        elif self._values > _MOST_VALUES:
            problem = f"more than {_MOST_VALUES} values are not taken"
        elif self._levels == _MOST_LEVELS:
            problem = f"more than {_MOST_LEVELS} levels are not taken"
        else:
            self._levels += 1
            node = super().compose_node(parent, index)
            self._levels -= 1
            return node
        raise yaml.composer.ComposerError(None, None, problem, event.start_mark)

    def construct_number(self, node: yaml.ScalarNode) -> int | float:
        if ":" in node.value:
            problem = "numbers in base 60 are not taken: put a text into quotes"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
        return self.construct_yaml_int(node) if node.tag.endswith(":int") else self.construct_yaml_float(node)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
)
for _tag in ("int", "float"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _Loader.construct_number)


def read_yaml(text: str) -> Any:
    """Plain data. YamlError with the line and column of the first mistake."""
    try:
        return yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise YamlError(f"{where}{error.problem}") from error
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError) as error:
        raise YamlError(" ".join(str(error).split())) from error
