"""The interfaces of Seedleaf: HTTP server, web page, Python client, exporters and command line."""
