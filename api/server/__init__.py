"""The HTTP server: application, routes, authentication, limits and errors."""
