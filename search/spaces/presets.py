"""The architecture spaces that have a name, and how a spec gives one: by its name or written out."""

from typing import Annotated

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from search.spaces.architecture_space import ArchitectureSpace
from search.spaces.blocks_small import BLOCKS_SMALL
from search.spaces.mobile import MOBILE
from search.spaces.nas_bench_macro import NAS_BENCH_MACRO
from search.spaces.pretrained import PRETRAINED
from search.spaces.seed_blocks import BASELINE_BLOCKS, SEED_BLOCKS
from search.spaces.torchvision_networks import TORCHVISION, TORCHVISION_PRETRAINED

PRESETS: dict[str, ArchitectureSpace] = {
    "baseline-blocks": BASELINE_BLOCKS,
    "blocks-small": BLOCKS_SMALL,
    "mobile": MOBILE,
    "nas-bench-macro": NAS_BENCH_MACRO,
    "pretrained": PRETRAINED,
    "seed-blocks": SEED_BLOCKS,
    "torchvision": TORCHVISION,
    "torchvision-pretrained": TORCHVISION_PRETRAINED,
}


def architecture_space(choice: str | ArchitectureSpace) -> ArchitectureSpace:
    """The space that a spec names or writes out. ValueError if there is no preset of that name."""
    if isinstance(choice, ArchitectureSpace):
        return choice
    if choice not in PRESETS:
        raise ValueError(f"unknown architecture {choice!r}; known: {', '.join(sorted(PRESETS))}")
    return PRESETS[choice]


class _NameOrSpace:
    """Validates either form without a word about the other, so that an error's path is that of the mistake."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(
            cls._validate,
            handler.generate_schema(ArchitectureSpace),
            serialization=core_schema.plain_serializer_function_ser_schema(cls._plain),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, object]:
        assert schema["type"] == "function-wrap"
        return {"anyOf": [{"enum": sorted(PRESETS)}, handler(schema["schema"])]}

    @staticmethod
    def _validate(value: object, handler: core_schema.ValidatorFunctionWrapHandler) -> object:
        if isinstance(value, str):
            architecture_space(value)
            return value
        return handler(value)

    @staticmethod
    def _plain(choice: str | ArchitectureSpace) -> object:
        return choice if isinstance(choice, str) else choice.model_dump(mode="json", exclude_defaults=True)


#: A preset's name, or a space written out.
ArchitectureChoice = Annotated[str | ArchitectureSpace, _NameOrSpace]
