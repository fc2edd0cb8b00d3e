"""The least that could keep studies: FastAPI, SQLAlchemy, one table. A POST inserts and commits, a GET selects."""

import secrets
from typing import Any

from fastapi import FastAPI
from sqlalchemy import Column, DateTime, MetaData, Table, Text, create_engine, func, insert, make_url, select
from sqlalchemy.dialects.postgresql import JSONB

bare = Table(
    "bare_studies",
    MetaData(),
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("spec", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)


def application(database_url: str) -> FastAPI:
    engine = create_engine(make_url(database_url).set(drivername="postgresql+psycopg2"), pool_size=20)
    bare.metadata.create_all(engine)
    app = FastAPI()

    @app.post("/studies", status_code=201)
    def create(spec: dict[str, Any]) -> dict[str, Any]:
        values = {"id": secrets.token_hex(12), "name": spec["name"], "state": "QUEUED", "spec": spec}
        with engine.begin() as connection:
            return dict(connection.execute(insert(bare).values(**values).returning(*bare.c)).mappings().one())

    @app.get("/studies/{study_id}")
    def get(study_id: str) -> dict[str, Any]:
        with engine.connect() as connection:
            return dict(connection.execute(select(bare).where(bare.c.id == study_id)).mappings().one())

    return app
