"""A latency that can be trusted: the host's exclusive slot, the interleaved protocol, its reference and fingerprint."""
