"""What runs on Ray nodes: data, models, training, compression and latency. Plain data in, plain data out."""
