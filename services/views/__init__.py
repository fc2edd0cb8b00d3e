"""What is shown: read-only queries that answer with typed records."""
