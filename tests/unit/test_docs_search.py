"""The example of docs/search.md does what the page says."""

import re
from pathlib import Path
from typing import Any

import optuna

PAGE = Path(__file__).parents[2] / "docs" / "search.md"


def test_the_example_of_a_sampler_in_plain_optuna_finds_the_front() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(example, names)
    study = names["study"]
    assert len({trial.values[1] for trial in study.best_trials}) >= 7  # of 9 sizes
