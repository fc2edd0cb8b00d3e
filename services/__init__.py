"""What lasts and what coordinates: the record in PostgreSQL, the controller and the entry points of Ray jobs."""
