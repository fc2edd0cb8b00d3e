"""The operations by the name that policies use, as defined in ``kinds``."""

from search.registry import Registry
from workers.augmentation.kinds import Definition

OPERATIONS = Registry[Definition]("operation")
