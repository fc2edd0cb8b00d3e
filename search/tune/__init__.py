"""The search behind Ray Tune: its searcher, and early stopping."""
