"""The frontier sampler: surrogates for the objectives that must be measured, exact values for the others."""

from search.samplers.frontier.observations import EXPECTED, SECONDS
from search.samplers.frontier.points import Describe, Description
from search.samplers.frontier.sampler import FrontierSampler
from search.samplers.frontier.transfer import TransferData

__all__ = ["EXPECTED", "SECONDS", "Describe", "Description", "FrontierSampler", "TransferData"]
