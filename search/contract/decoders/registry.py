"""The decoders by name, each with what is said of it to those who choose one."""

from search.registry import Registry

DECODERS = Registry[str]("decoder", order=("pillow", "dali"))
