"""The Python client of a Seedleaf server: ``from seedleaf import Client``."""
