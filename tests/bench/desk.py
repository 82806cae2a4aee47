"""The desk: many staff at once, each at work on the pages with pauses to think.

The pauses are those of a clerk who registers a patient in OpenMRS's own load test
(openmrs-contrib-performance-test, scenario "Clerk - Patient Registration"): 3 s before the form is
opened, 10 s in it, 2 s after saving. Opening a found record takes the 3 s of another page. Its
nightly run adds 32 users a tier, up to 192.
"""

import asyncio
import random
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from tests.bench.load import request
from tests.bench.product import Product
from tests.bench.sample import Patient, new_people

TIERS = (32, 64, 128, 192)
FIND, OPEN, FORM, SAVED = 3.0, 3.0, 10.0, 2.0  # Seconds to think after each step.
CYCLE = FIND + OPEN + FORM + SAVED
SAVED_OR_ASKED = (302, 409)  # The page may ask why a similar patient is another person.
FORM_TYPE = "Content-Type: application/x-www-form-urlencoded"
FIELDS = {"identifiers-TOTAL_FORMS": "0", "identifiers-INITIAL_FORMS": "0"}


@dataclass
class Shift:
    """What a tier did: seconds of each step, and answers that were not as expected."""

    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    refused: list[str] = field(default_factory=list)
    counts_from: float = 0.0


def run_desk(
    product: Product, cookies: list[str], patients: list[Patient], *, seconds: float
) -> Shift:
    """Lets a user for each cookie work; counts `seconds`, after all have begun."""
    shift = Shift()
    asyncio.run(_work_together(product, cookies, patients, shift, seconds))
    return shift


async def _work_together(
    product: Product,
    cookies: list[str],
    patients: list[Patient],
    shift: Shift,
    seconds: float,
) -> None:
    shift.counts_from = time.monotonic() + CYCLE
    seed = time.time_ns() % 1_000_000
    users = [
        asyncio.create_task(
            Clerk(product, cookie, patients, shift, random.Random(seed + at)).work()
        )
        for at, cookie in enumerate(cookies)
    ]
    await asyncio.sleep(CYCLE + seconds)
    for user in users:
        user.cancel()
    for ended in await asyncio.gather(*users, return_exceptions=True):
        if isinstance(ended, Exception):
            shift.refused.append(repr(ended))


class Clerk:
    """One user: searches, opens, registers, saves, and begins again."""

    def __init__(
        self,
        product: Product,
        cookie: str,
        patients: list[Patient],
        shift: Shift,
        dice: random.Random,
    ) -> None:
        self._port, self._host = product.port, product.host
        self._cookie, self._patients, self._shift, self._dice = cookie, patients, shift, dice
        self._people = new_people(dice.randrange(1_000_000_000))
        self._csrf = dict(part.split("=", 1) for part in cookie[8:].split("; "))["csrftoken"]

    async def work(self) -> None:
        await asyncio.sleep(self._dice.uniform(0, CYCLE))
        while True:
            patient = self._dice.choice(self._patients)
            text = quote(f"{patient.family} {patient.given}")
            await self._ask("search", "GET", f"/patients/suggest/?q={text}")
            await asyncio.sleep(FIND)
            await self._ask("open", "GET", f"/patients/{patient.id}/")
            await asyncio.sleep(OPEN)
            await self._ask("form", "GET", "/patients/new/")
            await asyncio.sleep(FORM / 2)
            form = self._form()
            await self._ask("similar", "POST", "/patients/similar/", form)
            await asyncio.sleep(FORM / 2)
            await self._ask("register", "POST", "/patients/new/", form, SAVED_OR_ASKED)
            await asyncio.sleep(SAVED)

    def _form(self) -> dict[str, str]:
        person = next(self._people)
        year, month, day = person.pop("date_of_birth").split("-")
        boxes = {"date_of_birth_0": day, "date_of_birth_1": month, "date_of_birth_2": year}
        keys = {"token": uuid.uuid4().hex, "csrfmiddlewaretoken": self._csrf}
        return {**keys, **FIELDS, **boxes, **person}

    async def _ask(
        self, step: str, method: str, path: str, form: dict | None = None, among: tuple = (200,)
    ) -> None:
        body = urlencode(form).encode() if form else b""
        headers = (self._cookie, "Connection: close", *([FORM_TYPE] if form else []))
        began = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(request(method, path, self._host, headers=headers, body=body))
            answer = await reader.read(-1)
        finally:  # Also at the end of the shift: an answer that is still due took so long at least.
            writer.close()
            if began >= self._shift.counts_from:
                self._shift.times[step].append(time.monotonic() - began)
        if int(answer[9:12]) not in among:
            self._shift.refused.append(f"{step}: {answer[:200]!r}")
