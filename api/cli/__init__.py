"""The command line: one file per command or group of commands; ``main`` puts them together."""
