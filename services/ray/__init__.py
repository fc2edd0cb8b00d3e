"""Ray from outside: its jobs over HTTP, a head node, and the code that travels with a job."""
