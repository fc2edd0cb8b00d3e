"""The controller: it brings Ray's jobs in line with the record."""
