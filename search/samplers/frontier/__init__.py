"""The frontier sampler: it learns what must be measured, and knows the other objectives exactly."""

from search.samplers.frontier.earlier import Earlier
from search.samplers.frontier.evidence import EXPECTED, SECONDS
from search.samplers.frontier.points import Describe, Description
from search.samplers.frontier.sampler import FrontierSampler

__all__ = ["EXPECTED", "SECONDS", "Describe", "Description", "Earlier", "FrontierSampler"]
