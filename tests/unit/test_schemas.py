"""The public schemas explain themselves."""

import pytest
from pydantic import BaseModel

from api import schemas

_MODELS = [getattr(schemas, name) for name in schemas.__all__]


@pytest.mark.parametrize("model", _MODELS, ids=lambda model: model.__name__)
def test_every_schema_and_each_of_its_fields_has_a_description(model: type[BaseModel]) -> None:
    assert model.__doc__
    assert [name for name, field in model.model_fields.items() if not field.description] == []
