"""The web routes that check and repair the counts: /states, /gaps, /audit and /recount."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import asdict
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar
from uuid import UUID

from aiohttp import web
from sqlalchemy import Engine

from analytics_stream.audit import audit, recount
from analytics_stream.database import StoreAway
from analytics_stream.problems import database_away_response, format_time, problem_response
from analytics_stream.state_export import Gap, StateExport

MOST_PATIENTS = 1000
MOST_GAPS = 10_000
WRITE_SECONDS = 60.0  # A reader that takes a chunk of the states more slowly is cut off.

Result = TypeVar("Result")


class WrongRequest(Exception):
    """The request is malformed. The text tells what to send."""


class AuditViews:
    """The routes of states, gaps, audit and recount.

    `auditor` runs the blocking work. That may take minutes, so it is not the executor that reads
    the figures.
    """

    def __init__(self, engine: Engine, auditor: Executor) -> None:
        self._engine, self._auditor = engine, auditor
        self._export = StateExport(engine)

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/states", self.states)
        app.router.add_post("/states", self.states_of)
        app.router.add_get("/gaps", self.gaps)
        app.router.add_get("/audit", self.audit)
        app.router.add_post("/recount", self.recount)

    async def states(self, request: web.Request) -> web.StreamResponse:
        """Returns every patient's state as CSV, with the last line `end,<rows>`.

        Returns 503 when the database is away.
        """
        return await self._stream_states(request, None)

    async def states_of(self, request: web.Request) -> web.StreamResponse:
        """Returns the states of the patients in {"patients": [...]}."""
        try:
            patients = await _read_patients(request, "patients")
        except WrongRequest as wrong:
            return problem_response(HTTPStatus.BAD_REQUEST, str(wrong))
        return await self._stream_states(request, patients)

    async def gaps(self, request: web.Request) -> web.Response:
        """Returns patients with an event missing, oldest gap first, and their total number."""
        limit = request.query.get("limit", "1000")
        if not (limit.isascii() and limit.isdigit() and 0 < int(limit) <= MOST_GAPS):
            return problem_response(
                HTTPStatus.BAD_REQUEST, f"limit must be a number from 1 to {MOST_GAPS}."
            )
        try:
            gaps = await self._run(self._export.read_gaps, int(limit))
        except StoreAway:
            return database_away_response()
        return web.json_response(
            {"total": gaps.total, "gaps": [_gap_in_json(gap) for gap in gaps.oldest]}
        )

    async def audit(self, _: web.Request) -> web.Response:
        """Compares every figure with states and events."""
        try:
            return web.json_response(asdict(await self._run(audit, self._engine)))
        except StoreAway:
            return database_away_response()

    async def recount(self, request: web.Request) -> web.Response:
        """Forgets the patients in {"forget": [...]} and computes every figure from the others."""
        try:
            forget = await _read_patients(request, "forget")
            changed = await self._run(partial(recount, self._engine, forget=forget))
        except WrongRequest as wrong:
            return problem_response(HTTPStatus.BAD_REQUEST, str(wrong))
        except StoreAway:
            return database_away_response()
        return web.json_response({"changed": changed})

    async def _stream_states(
        self, request: web.Request, patients: Sequence[str] | None
    ) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Type": "text/csv; charset=utf-8", "Cache-Control": "no-store"}
        )
        try:
            await self._run(self._export.write_states, _writer(response, request), patients)
        except (StoreAway, ConnectionError, TimeoutError):
            if not response.prepared:
                return database_away_response()
            if request.transport:
                request.transport.abort()  # The reader notices that the last line is missing.
            return response
        await response.write_eof()
        return response

    async def _run(self, work: Callable[..., Result], *arguments: Any) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._auditor, work, *arguments)


def _writer(response: web.StreamResponse, request: web.Request) -> Callable[[bytes], object]:
    """Returns a function for another thread that sends a chunk.

    It returns when the reader took the chunk, so that no more than one is in memory.
    """
    loop = asyncio.get_running_loop()

    async def send(chunk: bytes) -> None:
        if not response.prepared:
            await response.prepare(request)
        await asyncio.wait_for(response.write(chunk), WRITE_SECONDS)

    return lambda chunk: asyncio.run_coroutine_threadsafe(send(chunk), loop).result()


async def _read_patients(request: web.Request, name: str) -> list[str]:
    """Returns the patients in the body, as PostgreSQL writes their ids. Raises WrongRequest."""
    wanted = f'Send {{"{name}": [...]}} as JSON with up to {MOST_PATIENTS} patient ids (UUIDs).'
    try:
        body = await request.json()
        patients = [str(UUID(patient)) for patient in body[name]]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise WrongRequest(wanted) from None
    if set(body) != {name} or len(patients) > MOST_PATIENTS:
        raise WrongRequest(wanted)
    return patients


def _gap_in_json(gap: Gap) -> dict[str, Any]:
    return {
        "patientId": gap.patient_id,
        "version": gap.version,
        "counted": gap.counted,
        "since": format_time(gap.since),
    }
