"""Everything that faces outward: HTTP, the page, the Python client and the command line."""
