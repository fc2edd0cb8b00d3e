"""The entry points of Ray jobs: the only modules outside workers/ that import workers."""
