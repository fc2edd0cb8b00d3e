"""Errors of Ray, seen from outside.

RayError
├── RayAwayError       it cannot be reached, or is not the Ray of this server: try again in a few seconds
└── RayRefusedError    it refused a request
"""


class RayError(RuntimeError):
    """Ray did not do what it was asked for."""


class RayAwayError(RayError):
    """Ray cannot be reached, or what listens at its address is not this server's Ray."""


class RayRefusedError(RayError):
    """Ray refused a request."""
