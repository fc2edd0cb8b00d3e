"""The command line: one file a command or group of commands; ``main`` puts them together."""
