"""The schemas of HTTP requests and responses. Ids are opaque strings, times are UTC in ISO 8601, units are in names."""

from api.schemas.charts import GrowthView, ParetoView, PointsView, PointView, TypicalCurve, TypicalEpoch, VariantFront
from api.schemas.cluster import ClusterView, NodeView, ResourceView
from api.schemas.confusion import ConfusionSummaryView
from api.schemas.datasets import DatasetSummary, DatasetView
from api.schemas.general import Page, Problem, Queued
from api.schemas.on_test import OnTest
from api.schemas.studies import (
    BudgetPatch,
    CheckRequest,
    Estimate,
    KeyView,
    Progress,
    StudyCheck,
    StudyLogs,
    StudyPatch,
    StudyView,
)
from api.schemas.trainings import EpochView, RunView, SeedEpochView, TrainingDetail, TrainingView, TrainRequest
from api.schemas.trials import CompressRequest, JobView, LayerView, RecipeSearchView, TrialDetail, TrialView
from api.schemas.variants import ArtifactView, Prediction, RecipeView, VariantDetail, VariantView

__all__ = [
    "ArtifactView",
    "BudgetPatch",
    "CheckRequest",
    "ClusterView",
    "CompressRequest",
    "ConfusionSummaryView",
    "DatasetSummary",
    "DatasetView",
    "EpochView",
    "Estimate",
    "GrowthView",
    "JobView",
    "KeyView",
    "LayerView",
    "NodeView",
    "OnTest",
    "Page",
    "ParetoView",
    "PointView",
    "PointsView",
    "Prediction",
    "Problem",
    "Progress",
    "Queued",
    "RecipeSearchView",
    "RecipeView",
    "ResourceView",
    "RunView",
    "SeedEpochView",
    "StudyCheck",
    "StudyLogs",
    "StudyPatch",
    "StudyView",
    "TrainRequest",
    "TrainingDetail",
    "TrainingView",
    "TrialDetail",
    "TrialView",
    "TypicalCurve",
    "TypicalEpoch",
    "VariantDetail",
    "VariantFront",
    "VariantView",
]
