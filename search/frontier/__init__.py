"""The frontier sampler: it learns what must be measured, and knows the other objectives exactly."""

from search.frontier.earlier import Earlier
from search.frontier.evidence import EXPECTED, SECONDS
from search.frontier.points import Describe, Description
from search.frontier.sampler import FrontierSampler

__all__ = ["EXPECTED", "SECONDS", "Describe", "Description", "Earlier", "FrontierSampler"]
