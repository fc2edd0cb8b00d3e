"""The architecture spaces that have a name, and how a spec gives one: by its name or written out."""

from typing import Annotated

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic_core import CoreSchema, InitErrorDetails, core_schema

from search.spaces.architecture_space import ArchitectureSpace
from search.spaces.blocks_small import BLOCKS_SMALL
from search.spaces.mobile import MOBILE
from search.spaces.nas_bench_macro import NAS_BENCH_MACRO
from search.spaces.pretrained import PRETRAINED_PRESETS
from search.spaces.seed_blocks import BASELINE_BLOCKS, SEED_BLOCKS
from search.spaces.torchvision_networks import TORCHVISION, TORCHVISION_PRETRAINED

PRESETS: dict[str, ArchitectureSpace] = {
    "baseline-blocks": BASELINE_BLOCKS,
    "blocks-small": BLOCKS_SMALL,
    "mobile": MOBILE,
    "nas-bench-macro": NAS_BENCH_MACRO,
    "seed-blocks": SEED_BLOCKS,
    "torchvision": TORCHVISION,
    "torchvision-pretrained": TORCHVISION_PRETRAINED,
    **PRETRAINED_PRESETS,
}

Choice = str | ArchitectureSpace


def architecture_space(choice: Choice) -> ArchitectureSpace:
    """The space that a spec names or writes out. ValueError if there is no preset of that name."""
    if isinstance(choice, ArchitectureSpace):
        return choice
    if choice not in PRESETS:
        raise ValueError(f"unknown architecture {choice!r}; known: {', '.join(sorted(PRESETS))}")
    return PRESETS[choice]


def families(choice: Choice | tuple[Choice, ...]) -> dict[str, ArchitectureSpace]:
    """The spaces of a spec by their labels: a preset's name, or ``space1`` for the first if it is written out."""
    choices = choice if isinstance(choice, tuple) else (choice,)
    return {
        one if isinstance(one, str) else f"space{number}": architecture_space(one)
        for number, one in enumerate(choices, start=1)
    }


class _OneOrSeveral:
    """Validates a name, a space or a list of these without mixing their errors, so that each has its own path."""

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
        one = [{"enum": sorted(PRESETS)}, handler(schema["schema"])]
        return {"anyOf": [*one, {"type": "array", "items": {"anyOf": one}, "minItems": 1}]}

    @classmethod
    def _validate(cls, value: object, handler: core_schema.ValidatorFunctionWrapHandler) -> object:
        if not isinstance(value, list | tuple):
            return cls._validate_one(value, handler)
        several = tuple(cls._validate_item(index, item, handler) for index, item in enumerate(value))
        names = [item for item in several if isinstance(item, str)]
        if not several or len({id(PRESETS[name]) for name in names}) < len(names):
            raise ValueError(
                "a list of architectures names one or more, each once; pretrained is tf_efficientnet_lite0"
            )
        return several if len(several) > 1 else several[0]

    @classmethod
    def _validate_item(cls, index: int, item: object, handler: core_schema.ValidatorFunctionWrapHandler) -> object:
        try:
            return cls._validate_one(item, handler)
        except ValidationError as error:
            details = [
                InitErrorDetails(
                    type=detail["type"],
                    loc=(index, *detail["loc"]),
                    input=detail["input"],
                    ctx=detail.get("ctx", {}),
                )
                for detail in error.errors()
            ]
            raise ValidationError.from_exception_data(error.title, details) from error

    @staticmethod
    def _validate_one(value: object, handler: core_schema.ValidatorFunctionWrapHandler) -> object:
        if isinstance(value, str):
            architecture_space(value)
            return value
        return handler(value)

    @classmethod
    def _plain(cls, choice: object) -> object:
        if isinstance(choice, list | tuple):
            return [cls._plain(one) for one in choice]
        if isinstance(choice, ArchitectureSpace):
            return choice.model_dump(mode="json", exclude_defaults=True)
        return choice  # a preset's name, or in a stored spec what another version wrote


#: A preset's name, a space written out, or several of these: the search then chooses among the families too.
ArchitectureChoice = Annotated[Choice | tuple[Choice, ...], _OneOrSeveral]
