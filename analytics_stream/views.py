"""The web routes that tell how things are: figures, health and metrics."""

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
from analytics_stream.problems import database_away, iso
from analytics_stream.progress import Progress
from analytics_stream.store import Reading, Store

LONGEST_READING = 5.0  # seconds


class Views:
    """`reader` runs the blocking reads, one after the other. Days begin by the clock of `time_zone`."""

    def __init__(
        self, store: Store, progress: Progress, reader: Executor, time_zone: tzinfo
    ) -> None:
        self._store, self._progress = store, progress
        self._reader, self._time_zone = reader, time_zone

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/figures", self.figures)
        app.router.add_get("/health/live", self.live)
        app.router.add_get("/health/ready", self.ready)
        app.router.add_get("/metrics", self.metrics)

    async def figures(self, request: web.Request) -> web.Response:
        """The figures as JSON. 304 when If-None-Match names their tag, 503 when the database is away."""
        try:
            figures = await self._figures()
        except StoreAway:
            return database_away()
        tag = tag_of(figures)
        headers = {"ETag": f'W/"{tag}"', "Cache-Control": "no-cache"}
        if any(known.value in (tag, "*") for known in request.if_none_match or ()):
            return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        return web.json_response(figures, headers=headers)

    async def live(self, _: web.Request) -> web.Response:
        """200 while this process can answer at all."""
        return web.json_response({"live": True})

    async def ready(self, _: web.Request) -> web.Response:
        """200 when the database answers and partitions were handed out. Being behind is told, and is not unready."""
        reading = await self._read_or_none()
        ready = reading is not None and self._progress.has_joined
        body = {
            "ready": ready,
            "database": "up" if reading else "away",
            "consumer": "joined" if self._progress.has_joined else "waiting for the broker",
            "caughtUp": self._progress.is_caught_up,
            "lagSeconds": self._progress.lag_seconds(),
            "messagesBehind": self._progress.messages_behind,
            "gaps": reading.gaps if reading else None,
        }
        return web.json_response(
            body, status=HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        )

    async def metrics(self, _: web.Request) -> web.Response:
        """Of the gaps the last number known, when the database is away."""
        await self._read_or_none()
        LAG_SECONDS.set(self._progress.lag_seconds())
        MESSAGES_BEHIND.set(self._progress.messages_behind)
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    def _now(self) -> datetime:
        return datetime.now(self._time_zone)

    async def _figures(self) -> dict[str, Any]:
        # Taken before the read: what is said to be counted is then in what is read.
        lag_seconds = self._progress.lag_seconds()
        now = self._now()
        reading = await self._read(now)
        return {
            **draw_figures(reading.counts, now=now, today=now.date()),
            "asOf": iso(now),
            "lagSeconds": lag_seconds,
            "lastEventAt": iso(reading.last_event_at) if reading.last_event_at else None,
        }

    async def _read(self, now: datetime) -> Reading:
        """Raises StoreAway, also when the database does not answer in time."""
        reading = asyncio.get_running_loop().run_in_executor(
            self._reader, lambda: self._store.read(now=now, today=now.date())
        )
        try:
            answer = await asyncio.wait_for(reading, LONGEST_READING)
        except TimeoutError:
            raise StoreAway("TimeoutError") from None
        GAPS.set(answer.gaps)
        return answer

    async def _read_or_none(self) -> Reading | None:
        try:
            return await self._read(self._now())
        except StoreAway:
            return None
