"""The application: routes, error handlers, middleware, and the controller in a thread of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import Depends, FastAPI

from api.server import errors
from api.server.auth import KeyMiddleware, is_loopback
from api.server.headers import SecurityHeaders
from api.server.limits import Limits
from api.server.overload import Overload
from api.server.routes import cluster, datasets, events, health, page, recipes, studies, trainings, trials, variants
from api.server.scopes import ScopedApi, enforce_scope
from api.server.state import AppState, Queue
from services.control.controller import Controller
from services.control.sweeper import Sweeper
from services.database import make_engine, make_reader, migrate
from services.events import EventFeed
from services.keys import KeyRing
from services.local.backends import Backends
from services.ray.jobs import RayJobs
from services.ray.watch import RayWatch
from services.settings import Settings
from services.storage.artifacts import ArtifactStore
from services.views.answer_cache import AnswerCache

#: A request of a user waits for Ray no longer than this.
_RAY_PATIENCE_S = 5.0


def create_app(config: Settings, *, host: str, local: Backends | None = None) -> FastAPI:
    """The application for a running database and Ray cluster; it migrates the database when it starts.

    ``host`` is the address that the server listens on: on loopback it requires no key until one exists. ``local`` is
    what this process has started.
    """
    app = ScopedApi(
        title="Seedleaf",
        version=version("seedleaf"),
        lifespan=_lifespan,
        responses=errors.PROBLEM_RESPONSES,
        generate_unique_id_function=lambda route: route.name,  # the client's methods have these names
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(enforce_scope)],
    )
    url = config.require_database_url()
    engine = make_engine(url, pool_size=20)
    artifacts = ArtifactStore(config.artifacts)
    ray_address = local.ray.address if local is not None and local.ray is not None else None
    ray_jobs = RayJobs.of(config, local=ray_address, patience_s=_RAY_PATIENCE_S)
    app.state.seedleaf = AppState(
        settings=config,
        engine=engine,
        reader=make_reader(url, pool_size=20),
        artifacts=artifacts,
        feed=EventFeed(engine),
        answers=AnswerCache(),
        spec_checks=Queue("checks of studies", at_once=2, most_waiting=50),
        predictions=Queue("predictions", at_once=2, most_waiting=50),
        sweeper=Sweeper(engine, artifacts, config.checkpoints_dir),
        ray_jobs=ray_jobs,
        ray_watch=RayWatch(ray_jobs),
        supervisor=None if local is None else local.supervisor,
        joinable=ray_address is None,
    )
    app.state.controller = Controller(config, RayJobs.of(config, local=ray_address))
    errors.install(app)
    # The middleware added last runs first.
    app.add_middleware(Overload)
    app.add_middleware(Limits)
    app.add_middleware(KeyMiddleware, keys=KeyRing(engine, config.api_key), keyless_allowed=is_loopback(host))
    app.add_middleware(SecurityHeaders)
    for module in (studies, events, trials, trainings, variants, recipes, datasets, cluster, health):
        app.include_router(module.router)
    page.install(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    state: AppState = app.state.seedleaf
    migrate(state.engine)
    controller: Controller = app.state.controller
    state.feed.start(asyncio.get_running_loop())
    controller.start()
    state.sweeper.start()
    await asyncio.to_thread(state.ray_watch.start)
    try:
        yield
    finally:
        await asyncio.to_thread(state.ray_watch.close)
        await asyncio.to_thread(controller.close)
        await asyncio.to_thread(state.sweeper.close)
        state.ray_jobs.close()
        await asyncio.to_thread(state.feed.close)
        state.engine.dispose()
        state.reader.dispose()
