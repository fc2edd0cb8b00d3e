"""The types that travel between services, workers and the search: plain data without behaviour of its own."""
