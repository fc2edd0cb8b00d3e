"""Registries: names, their order, and the files that register what they hold."""

import pytest

from search.contract.augmentation import BATCH_OPERATION_NAMES, WITHOUT_MAGNITUDE
from search.contract.decoders import DECODERS as DECLARED_DECODERS
from search.contract.operations import OPERATIONS as DECLARED_OPERATIONS
from search.contract.recipes import TECHNIQUES, FileStepConfig
from search.contract.runtimes import TARGET_RUNTIMES
from search.contract.sources import SOURCES as DECLARED_SOURCES
from search.registry import Registry, UnknownNameError
from workers.augmentation.kinds import MixDefinition
from workers.augmentation.operations import OPERATIONS
from workers.compression.techniques import FILE_TECHNIQUES, NETWORK_TECHNIQUES
from workers.data.decoders import DECODERS
from workers.data.sources import SOURCES
from workers.latency.runtimes import RUNTIMES


def test_names_in_the_order_come_first_and_the_others_as_they_were_registered() -> None:
    registry = Registry[int]("number", order=("one", "two"))
    for name, number in (("four", 4), ("two", 2), ("three", 3), ("one", 1)):
        registry.add(name, number)
    assert list(registry.items()) == [("one", 1), ("two", 2), ("four", 4), ("three", 3)]


def test_an_unknown_name_is_told_with_the_names_that_there_are() -> None:
    registry = Registry[int]("number")
    registry.add("one", 1)
    registry.add("two", 2)
    with pytest.raises(UnknownNameError, match=r"^there is no number called 'three'; there are one, two$"):
        registry["three"]
    assert registry.get("three") is None


def test_a_name_is_registered_once() -> None:
    registry = Registry[int]("number")
    registry.add("one", 1)
    with pytest.raises(ValueError, match="there already is a number called 'one'"):
        registry.add("one", 2)


def test_a_decorator_registers_what_it_decorates() -> None:
    registry = Registry[type]("class")

    @registry.register("one")
    class One:
        pass

    assert registry["one"] is One


def test_what_a_study_may_name_is_what_the_workers_have() -> None:
    assert set(OPERATIONS) == set(DECLARED_OPERATIONS)
    assert set(SOURCES) == set(DECLARED_SOURCES)
    assert set(DECODERS) == set(DECLARED_DECODERS)
    assert set(RUNTIMES) >= set(TARGET_RUNTIMES)


def test_what_is_declared_of_an_operation_is_so() -> None:
    assert {name for name, operation in OPERATIONS.items() if not operation.full} == set(WITHOUT_MAGNITUDE)
    mixing = {name for name, operation in OPERATIONS.items() if isinstance(operation, MixDefinition)}
    assert mixing == set(BATCH_OPERATION_NAMES)


def test_every_config_of_a_technique_has_its_name_and_its_function() -> None:
    for name, config in TECHNIQUES.items():
        assert config.model_fields["technique"].default == name
    files = {name for name, config in TECHNIQUES.items() if issubclass(config, FileStepConfig)}
    assert set(FILE_TECHNIQUES) == files
    assert set(NETWORK_TECHNIQUES) == set(TECHNIQUES) - files
