"""Ray from outside: its jobs over HTTP, a head node, and the code package that jobs need."""
