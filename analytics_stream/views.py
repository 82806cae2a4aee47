"""The web routes that tell the state of the worker: figures, health and metrics."""

import asyncio
from concurrent.futures import Executor
from datetime import datetime, tzinfo
from http import HTTPStatus
from typing import Any

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from analytics_stream.database import StoreAway
from analytics_stream.figures import draw_figures, tag_of
from analytics_stream.metrics import GAPS, LAG_SECONDS, MESSAGES_BEHIND
from analytics_stream.problems import database_away_response, format_time
from analytics_stream.progress import Progress
from analytics_stream.store import CountSnapshot, Store

READ_SECONDS = 5.0  # Longest wait for the database before it counts as away.


class Views:
    """The routes of figures, health and metrics.

    `reader` runs the blocking reads, one after the other. Days begin by the clock of `time_zone`.
    """

    def __init__(
        self, store: Store, progress: Progress, reader: Executor, time_zone: tzinfo
    ) -> None:
        self._store, self._progress = store, progress
        self._reader, self._time_zone = reader, time_zone

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/figures", self.figures)
        app.router.add_get("/health/live", self.live)
        app.router.add_get("/health/ready", self.ready)
        app.router.add_get("/metrics", self.metrics)

    async def figures(self, request: web.Request) -> web.Response:
        """Returns the figures as JSON.

        Returns 304 when If-None-Match names their tag, 503 when the database is away.
        """
        try:
            figures = await self._figures()
        except StoreAway:
            return database_away_response()
        tag = tag_of(figures)
        headers = {"ETag": f'W/"{tag}"', "Cache-Control": "no-cache"}
        if any(known.value in (tag, "*") for known in request.if_none_match or ()):
            return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        return web.json_response(figures, headers=headers)

    async def live(self, _: web.Request) -> web.Response:
        """Returns 200 while this process can answer at all."""
        return web.json_response({"live": True})

    async def ready(self, _: web.Request) -> web.Response:
        """Returns 200 when the database answers and partitions were assigned.

        A worker that is behind is ready too; the body tells how far it is behind.
        """
        snapshot = await self._read_or_none()
        ready = snapshot is not None and self._progress.has_joined
        body = {
            "ready": ready,
            "database": "up" if snapshot else "away",
            "consumer": "joined" if self._progress.has_joined else "waiting for the broker",
            "caughtUp": self._progress.is_caught_up,
            "lagSeconds": self._progress.lag_seconds(),
            "messagesBehind": self._progress.messages_behind,
            "gaps": snapshot.gaps if snapshot else None,
        }
        return web.json_response(
            body, status=HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        )

    async def metrics(self, _: web.Request) -> web.Response:
        """Returns the metrics; while the database is away, with the last known number of gaps."""
        await self._read_or_none()
        LAG_SECONDS.set(self._progress.lag_seconds())
        MESSAGES_BEHIND.set(self._progress.messages_behind)
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    def _now(self) -> datetime:
        return datetime.now(self._time_zone)

    async def _figures(self) -> dict[str, Any]:
        # Taken before the read, so that the events that it calls counted are in what is read.
        lag_seconds = self._progress.lag_seconds()
        now = self._now()
        snapshot = await self._read(now)
        last_event_at = snapshot.last_event_at
        return {
            **draw_figures(snapshot.counts, now=now, today=now.date()),
            "asOf": format_time(now),
            "lagSeconds": lag_seconds,
            "lastEventAt": format_time(last_event_at) if last_event_at else None,
        }

    async def _read(self, now: datetime) -> CountSnapshot:
        """Reads the counts. Raises StoreAway, also when the database does not answer in time."""
        reading = asyncio.get_running_loop().run_in_executor(
            self._reader, lambda: self._store.read(now=now, today=now.date())
        )
        try:
            snapshot = await asyncio.wait_for(reading, READ_SECONDS)
        except TimeoutError:
            raise StoreAway("TimeoutError") from None
        GAPS.set(snapshot.gaps)
        return snapshot

    async def _read_or_none(self) -> CountSnapshot | None:
        try:
            return await self._read(self._now())
        except StoreAway:
            return None
