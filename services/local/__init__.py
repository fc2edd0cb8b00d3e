"""What runs on one machine without anything installed: the embedded PostgreSQL, a local Ray, and their supervisor."""
