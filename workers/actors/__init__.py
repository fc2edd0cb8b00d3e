"""The Ray actors and remote functions: trials, full trainings, compression, and the benchmark slot of a host."""
