"""The rows that ask over HTTP: what each sends to the portal, and to the baseline if it can."""

import itertools
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote, urlsplit

import httpx

from portal.errors import camel
from tests.bench.load import Sent, request
from tests.bench.options import Options
from tests.bench.plain import Plain
from tests.bench.plain_drf.fill import CLERK
from tests.bench.product import Product
from tests.bench.sample import Patient, draw_patients, new_people
from tests.bench.search import KINDS

DEEP_PAGES, DEEP_LIMIT = 60, 200  # How far the list is walked for the row of deep pages.
# The baseline finds a part of a name, number by number; the other kinds find nothing there.
PLAIN_KINDS = {"family name", "family and given name", "MRN"}
QUICK_KINDS = {*PLAIN_KINDS, "both names with a slip", "family name and year"}
SEARCH = "search: "
JSON = "Content-Type: application/json"
Source = Iterator[Sent]


@dataclass
class Asked:
    """The systems under test, and what their rows ask for."""

    product: Product
    plain: Plain | None
    count: int  # Patients in each of them.
    patients: list[Patient] = field(default_factory=list)
    seeds: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.patients = draw_patients(self.product.postgres.url("portal"))

    def dice(self) -> random.Random:
        return random.Random(next(self.seeds))


@dataclass(frozen=True)
class Row:
    """A row of the table. The functions return a source of requests for each connection."""

    name: str
    portal: Callable[[Asked, int], list[Source]]
    plain: Callable[[Asked, int], list[Source]] | None = None

    def connections(self, options: Options) -> tuple[int, ...]:
        """Returns how many to measure with. The many searches are measured with the most alone."""
        is_search = self.name.startswith(SEARCH)
        return (max(options.connections),) if is_search else options.connections


def wanted_rows(options: Options) -> list[Row]:
    """Returns the rows of a run; a quick one without ONLY has a few kinds of searches."""
    kinds = QUICK_KINDS if options.is_quick and not options.only else set(KINDS)
    return [
        row
        for row in rows()
        if options.wants(row.name)
        and (not row.name.startswith(SEARCH) or row.name.removeprefix(SEARCH) in kinds)
    ]


def rows() -> list[Row]:
    return [
        Row("sign in", sign_ins, plain_sign_ins),
        Row("token check", token_checks, plain_token_checks),
        Row("get", gets, plain_gets),
        Row("page of 50", first_pages, plain_first_pages),
        Row("page of 50, deep", deep_pages, plain_deep_pages),
        *(Row(f"{SEARCH}{kind}", searches(kind), plain_searches(kind)) for kind in KINDS),
        Row("register", registrations, plain_registrations),
        Row("change", changes, plain_changes),
        Row("pages: suggestions", suggestions),
        Row("pages: list", pages("/patients/")),
        Row("pages: patient", patient_pages),
        Row("pages: register", pages("/patients/new/")),
        Row("pages: dashboard", dashboards),
    ]


def sign_ins(asked: Asked, count: int) -> list[Source]:
    product = asked.product
    return [
        itertools.repeat(
            post(
                "/auth/login",
                product.host,
                (),
                {"email": product.email(number + 1), "password": product.password},
                status=200,
                body_has=b'"refresh"',
            )
        )
        for number in range(count)
    ]


def plain_sign_ins(asked: Asked, count: int) -> list[Source]:
    body = {"username": CLERK, "password": asked.product.password}
    sent = post("/auth/login", asked.plain.host, (), body, status=200, body_has=b'"refresh"')
    return [itertools.repeat(sent)] * count


def token_checks(asked: Asked, count: int) -> list[Source]:
    return each_get(asked.product, count, lambda dice: "/auth/validate")


def plain_token_checks(asked: Asked, count: int) -> list[Source]:
    return each_get(asked.plain, count, lambda dice: "/auth/validate")


def gets(asked: Asked, count: int) -> list[Source]:
    return one_patient(asked, asked.product, count)


def plain_gets(asked: Asked, count: int) -> list[Source]:
    return one_patient(asked, asked.plain, count)


def one_patient(asked: Asked, system: Product | Plain, count: int) -> list[Source]:
    def source(bearer: str, dice: random.Random) -> Source:
        while True:
            patient = dice.choice(asked.patients)
            yield get(f"/api/patients/{patient.id}", system.host, bearer, patient.mrn.encode())

    return [source(bearer, asked.dice()) for bearer in system.bearers(count)]


def first_pages(asked: Asked, count: int) -> list[Source]:
    return each_get(asked.product, count, lambda dice: "/api/patients?limit=50", b'"mrn"')


def plain_first_pages(asked: Asked, count: int) -> list[Source]:
    return each_get(asked.plain, count, lambda dice: "/api/patients", b'"mrn"')


def deep_pages(asked: Asked, count: int) -> list[Source]:
    cursors = walk(asked.product)
    return each_get(
        asked.product,
        count,
        lambda dice: f"/api/patients?limit=50&cursor={dice.choice(cursors)}",
        b'"mrn"',
    )


def plain_deep_pages(asked: Asked, count: int) -> list[Source]:
    last = min(DEEP_PAGES * DEEP_LIMIT, asked.count) // 50
    return each_get(
        asked.plain,
        count,
        lambda dice: f"/api/patients?page={dice.randrange(last // 2, last)}",
        b'"mrn"',
    )


def walk(product: Product) -> list[str]:
    """Returns cursors from the second half of the walk through the list."""
    path, cursors = f"/api/patients?limit={DEEP_LIMIT}", []
    [bearer] = product.bearers(1)
    headers = dict([bearer.split(": ", 1)])
    base = f"http://{product.host}"
    with httpx.Client(base_url=base, headers=headers, trust_env=False, timeout=60) as client:
        for _ in range(DEEP_PAGES):
            answer = client.get(path).raise_for_status()
            if "next" not in answer.links:
                break
            path = answer.links["next"]["url"]
            cursors.append(quote(parse_qs(urlsplit(path).query)["cursor"][0]))
    return cursors[len(cursors) // 2 :]


def searches(kind: str) -> Callable[[Asked, int], list[Source]]:
    def sources(asked: Asked, count: int) -> list[Source]:
        def path(dice: random.Random) -> str:
            return f"/api/patients?q={quote(KINDS[kind](dice.choice(asked.patients)))}"

        finds = "slip" not in kind and kind != "no hit"
        return each_get(asked.product, count, path, b'"mrn"' if finds else b"")

    return sources


def plain_searches(kind: str) -> Callable[[Asked, int], list[Source]] | None:
    def sources(asked: Asked, count: int) -> list[Source]:
        def path(dice: random.Random) -> str:
            return f"/api/patients?search={quote(KINDS[kind](dice.choice(asked.patients)))}"

        return each_get(asked.plain, count, path)

    return sources if kind in PLAIN_KINDS else None


def registrations(asked: Asked, count: int) -> list[Source]:
    def source(bearer: str, seed: int) -> Source:
        for number, person in enumerate(new_people(seed)):
            body = {camel(name): value for name, value in person.items()}
            body["identifiers"] = [{"system": "insurance", "value": f"B{seed}N{number}"}]
            yield post(
                "/api/patients", asked.product.host, (bearer,), body, status=201, body_has=b'"mrn"'
            )

    return [source(bearer, next(asked.seeds)) for bearer in asked.product.bearers(count)]


def plain_registrations(asked: Asked, count: int) -> list[Source]:
    def source(bearer: str, seed: int) -> Source:
        for person in new_people(seed):
            yield post(
                "/api/patients",
                asked.plain.host,
                (bearer,),
                person,
                status=201,
                body_has=b'"billing_account_id":"BA-',
            )

    return [source(bearer, next(asked.seeds)) for bearer in asked.plain.bearers(count)]


def changes(asked: Asked, count: int) -> list[Source]:
    return phone_changes(asked, asked.product, count)


def plain_changes(asked: Asked, count: int) -> list[Source]:
    return phone_changes(asked, asked.plain, count)


def phone_changes(asked: Asked, system: Product | Plain, count: int) -> list[Source]:
    def source(bearer: str, dice: random.Random) -> Source:
        while True:
            phone = f"617 {dice.randrange(200, 900)} {dice.randrange(10_000):04}"
            path = f"/api/patients/{dice.choice(asked.patients).id}"
            body = json.dumps({"phone": phone}).encode()
            data = request("PATCH", path, system.host, headers=(bearer, JSON), body=body)
            yield Sent(data, 200, phone.encode())

    return [source(bearer, asked.dice()) for bearer in system.bearers(count)]


def suggestions(asked: Asked, count: int) -> list[Source]:
    kinds = [KINDS[kind] for kind in ("three letters", "family name", "family and given name")]

    def path(dice: random.Random) -> str:
        return f"/patients/suggest/?q={quote(dice.choice(kinds)(dice.choice(asked.patients)))}"

    return each_page(asked, count, path)


def patient_pages(asked: Asked, count: int) -> list[Source]:
    return each_page(asked, count, lambda dice: f"/patients/{dice.choice(asked.patients).id}/")


def pages(path: str) -> Callable[[Asked, int], list[Source]]:
    return lambda asked, count: each_page(asked, count, lambda dice: path, b"</main>")


def dashboards(asked: Asked, count: int) -> list[Source]:
    """Asks as the analyst of the demo, since the front desk has no right to see the figures."""
    cookies = asked.product.cookies(count, "analyst@demo.example")
    return [
        itertools.repeat(page("/dashboard/", asked.product.host, cookie, b"</main>"))
        for cookie in cookies
    ]


def each_page(
    asked: Asked, count: int, path: Callable[[random.Random], str], body_has: bytes = b""
) -> list[Source]:
    def source(cookie: str, dice: random.Random) -> Source:
        while True:
            yield page(path(dice), asked.product.host, cookie, body_has)

    return [source(cookie, asked.dice()) for cookie in asked.product.cookies(count)]


def each_get(
    system: Product | Plain,
    count: int,
    path: Callable[[random.Random], str],
    body_has: bytes = b"",
) -> list[Source]:
    def source(bearer: str, dice: random.Random) -> Source:
        while True:
            yield get(path(dice), system.host, bearer, body_has)

    return [source(bearer, random.Random(at)) for at, bearer in enumerate(system.bearers(count))]


def get(path: str, host: str, bearer: str, body_has: bytes = b"") -> Sent:
    return Sent(request("GET", path, host, headers=(bearer,)), 200, body_has)


def page(path: str, host: str, cookie: str, body_has: bytes) -> Sent:
    return Sent(request("GET", path, host, headers=(cookie,)), 200, body_has)


def post(
    path: str,
    host: str,
    headers: tuple[str, ...],
    body: dict,
    *,
    status: int,
    body_has: bytes = b"",
) -> Sent:
    data = request("POST", path, host, headers=(*headers, JSON), body=json.dumps(body).encode())
    return Sent(data, status, body_has)
