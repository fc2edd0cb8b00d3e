"""What benchmarks share: trials that train nothing, the other side of a comparison, how figures are printed."""
