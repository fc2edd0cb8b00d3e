"""The record: tables, enums and checks of the schema ``seedleaf``. The migrations build exactly this.

A row's state is an enum of search/contract/states.py. What must hold between columns is a CHECK, so that no writer can
break it.
"""

from services.store.tables.columns import OPTUNA_SCHEMA, SCHEMA, metadata
from services.store.tables.compression import artifacts, compression_jobs, recipe_searches, variants
from services.store.tables.service import api_keys, deleted_files, storage_faults
from services.store.tables.studies import deleted_studies, events, studies, totals
from services.store.tables.tasks import dataset_checks, test_scorings, training_epochs, training_runs, trainings
from services.store.tables.trials import enqueued_trials, epochs, trials

__all__ = [
    "OPTUNA_SCHEMA",
    "SCHEMA",
    "api_keys",
    "artifacts",
    "compression_jobs",
    "dataset_checks",
    "deleted_files",
    "deleted_studies",
    "enqueued_trials",
    "epochs",
    "events",
    "metadata",
    "recipe_searches",
    "storage_faults",
    "studies",
    "test_scorings",
    "totals",
    "training_epochs",
    "training_runs",
    "trainings",
    "trials",
    "variants",
]
