"""Plain registrations of programs are answered in the web server's loop, as Django would do.

A header that the loop does not know sends the same request through Django.
"""

import json
import os
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import psutil
import pytest
from django.db import connection, transaction

from portal.billing.models import BillingAccount
from portal.patients.matching.refusal import lock_people
from portal.patients.matching.rules import person_key
from portal.patients.models import EventOutbox, Patient, PatientEvent, PatientIdentifier
from tests.portal.plain_client import (
    ACCEPT,
    THROUGH_DJANGO,
    Client,
    body,
    head,
    status,
    token_of,
)
from tests.portal.web_server import running_web_server
from tests.waits import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
JANE = {"familyName": "Example", "givenName": "Jane", "dateOfBirth": "1970-05-05"}
DRAWN = re.compile(rb'[0-9a-f-]{32,36}|"mrn" ?: "[^"]+"|P[0-9]{5}')


class Registrar(Client):
    """A connection that registers patients."""

    def post(self, members, more: bytes = ACCEPT) -> bytes:
        return self.ask(self.message(members, more))

    def message(self, members, more: bytes = ACCEPT) -> bytes:
        data = members if isinstance(members, bytes) else json.dumps(members).encode()
        length = b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(data)
        get = self.request("/api/patients", more + length)
        return get.replace(b"GET", b"POST", 1) + data


@pytest.fixture
def registrar(server, token):
    """A client whose registrations are answered in the loop from now on."""
    registrar = Registrar(server, token)
    number = iter(range(1000))

    def is_gathered() -> bool:
        assert status(registrar.post({"familyName": f"First {next(number)}"})) == 201
        return count_gathered() > 0

    wait_for(is_gathered, seconds=20)
    return registrar


def count_gathered(text: str = "") -> int:
    """Returns how many connections registered by a message of the loop last, with this text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # A transaction would see one moment.
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND query LIKE '%%EXECUTE gathered_people%%' || %s",
            [f"%{text}%"],
        )
        return cursor.fetchone()[0]


def post_at_once(clients, bodies, more=lambda _place: ACCEPT) -> list[bytes]:
    """Sends each body by its client, all at the same time."""
    start = threading.Barrier(len(bodies))

    def post(place: int) -> bytes:
        start.wait()
        return clients[place].post(bodies[place], more(place))

    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(post, range(len(bodies))))


def people_of(place: int, count: int) -> list[dict]:
    return [
        {
            "familyName": f"Family{place}x{number}",
            "givenName": "Ann",
            "dateOfBirth": f"19{number % 90 + 10}-03-0{place % 9 + 1}",
            "identifiers": [{"system": "insurance", "value": f"P{place}N{number}"}],
        }
        for number in range(count)
    ]


def masked(answer: bytes) -> bytes:
    """Returns the answer without what the database draws, and the test: ids and numbers."""
    return DRAWN.sub(b"drawn", head(answer) + body(answer))


def transactions() -> int:
    """Returns how many transactions registered the patients who are here."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT xmin::text) FROM patients_patient")
        return cursor.fetchone()[0]


def rows_of(patient_id: str) -> dict[str, int]:
    """Counts what a registration writes beside the patient."""
    event = PatientEvent.objects.get(pgh_obj=patient_id)
    return {
        "outbox": EventOutbox.objects.filter(pk=event.pk).count(),
        "account": BillingAccount.objects.filter(patient=patient_id).count(),
        "identifiers": PatientIdentifier.objects.filter(patient=patient_id).count(),
    }


BODIES = [
    {"name": "Dr Jane Smith, Jr."},
    {"name": "Łukasz Żółw", "address": "12 Mill Lane, Boston, MA 02134", "email": "l@mail.example"},
    {"familyName": "Example", "givenName": 'Q"uo\\te', "phone": "617 555 0100", "sex": "female"},
    {"familyName": "Example", "dateOfBirth": "1970-05", "registeredDate": "2020-01-31"},
    {
        "familyName": "Example",
        "identifiers": [{"system": "insurance", "value": "P%05d", "validFrom": "2020-02-29"}],
    },
]
HEADERS = [b"", ACCEPT, b"Accept: */*\r\n", b"X-Request-Id: from-the-client-1\r\n" + ACCEPT]


@pytest.mark.parametrize("members", BODIES, ids=str)
def test_the_loop_sends_the_bytes_that_django_sends(registrar, members):
    """Red when a header or the body of one way is changed and that of the other is not."""
    for place, headers in enumerate(HEADERS):
        ours, theirs = (
            registrar.post(json.dumps(members).replace("%05d", number).encode(), headers + more)
            for number, more in ((f"{place:05}", b""), (f"{place + 50:05}", THROUGH_DJANGO))
        )
        assert (status(ours), status(theirs)) == (201, 201)
        ours_id, theirs_id = (json.loads(body(answer))["id"] for answer in (ours, theirs))
        assert count_gathered(ours_id)
        assert not count_gathered(theirs_id)
        assert masked(ours) == masked(theirs)
        assert rows_of(ours_id) == rows_of(theirs_id)
        contexts = [
            PatientEvent.objects.get(pgh_obj=found).pgh_context for found in (ours_id, theirs_id)
        ]
        requests = [context.pop("request_id") for context in contexts]
        assert requests[0] == re.search(rb"X-Request-Id: (\S+)", ours)[1].decode()
        assert contexts[0] == contexts[1]


ODD = [
    (b"{", b""),
    (b"[]", b""),
    (json.dumps({"name": "A Person", "nmae": "x"}).encode(), b""),
    (json.dumps({"familyName": "A\ud800"}).encode(), b""),
    (json.dumps({"familyName": "A\0B"}).encode(), b""),
    (json.dumps({**JANE, "duplicateReason": "Twin"}).encode(), b""),
    (json.dumps(JANE).encode(), b"Idempotency-Key: key-1\r\n"),
    (json.dumps(JANE).encode(), b"Accept: text/html\r\n"),
    (json.dumps({"name": "A" * 20_000}).encode(), b""),
]


@pytest.mark.parametrize(("members", "more"), ODD, ids=range(len(ODD)))
def test_what_is_not_plain_is_answered_by_django(registrar, members, more):
    """Red when the loop answers a registration that Django would refuse or make otherwise."""
    ours = Registrar(registrar.server, registrar.token).post(members, more)
    Patient.objects.filter(family_name="Example").update(status="archived", family_name="Gone")
    more = more.replace(b"key-1", b"key-2") + THROUGH_DJANGO
    theirs = Registrar(registrar.server, registrar.token).post(members, more)
    assert status(ours) == status(theirs)
    assert b"html" in more or masked(ours) == masked(theirs)
    assert not count_gathered("Gone")


def test_who_may_not_register_is_refused(server, registrar, make_user):
    """Red when the loop asks for no right: the user may read patients."""
    reader = Registrar(server, token_of(make_user("auditor")))
    assert status(reader.get("/api/patients")) == 200
    for more in (b"", b"", THROUGH_DJANGO):
        assert status(reader.post(JANE, ACCEPT + more)) == 403
    assert not Patient.objects.filter(family_name="Example").exists()


def test_a_charset_may_be_named(registrar):
    message = registrar.message({"familyName": "Łukasz"})
    typed = message.replace(
        b"application/json\r\nContent-L", b"application/json; charset=utf-8\r\nContent-L"
    )
    assert typed != message
    found = json.loads(body(registrar.ask(typed)))
    assert found["familyName"] == "Łukasz"
    assert count_gathered(found["id"])


def test_a_body_may_come_after_the_headers_and_in_parts(registrar):
    """Red when what is held is forgotten, or a slow body is never read."""
    for number, pause in enumerate([0, 0.05, 2.5]):
        message = registrar.message({"familyName": f"Parts{number}"})
        for part in (message[:-9], message[-9:-4]):
            registrar.socket.sendall(part)
            time.sleep(pause)
        assert status(registrar.ask(message[-4:])) == 201
    assert Patient.objects.filter(family_name__startswith="Parts").count() == 3


def test_registrations_that_wait_together_each_have_their_rows(server, registrar, make_user):
    """Red when those who share a statement share a context, or lose a row."""
    users = [make_user("operator"), make_user("clinician"), make_user("auditor")]
    may = [user.has_perm("patients.add_patient") for user in users]
    assert any(may)
    users = [user for user, has_right in zip(users, may, strict=True) if has_right] * 12
    clients = [Registrar(server, token_of(user)) for user in users]
    asked = {}

    def register(place: int) -> None:
        for number, person in enumerate(people_of(place, 12)):
            request_id = f"made-{place:03}-{number:03}"
            answer = clients[place].post(person, f"X-Request-Id: {request_id}\r\n".encode())
            assert status(answer) == 201, body(answer)
            found = json.loads(body(answer))
            assert found["familyName"] == person["familyName"]
            assert found["identifiers"][0]["value"] == person["identifiers"][0]["value"]
            asked[request_id] = (found["id"], users[place].pk, "api", "api/patients")

    with ThreadPoolExecutor(len(clients)) as pool:
        list(pool.map(register, range(len(clients))))
    recorded = {
        event.pgh_context["request_id"]: (
            str(event.pgh_obj_id),
            *(event.pgh_context[name] for name in ("user", "source", "route")),
        )
        for event in PatientEvent.objects.filter(pgh_context__request_id__startswith="made-")
    }
    assert recorded == asked
    assert {tuple(rows_of(made[0]).values()) for made in asked.values()} == {(1, 1, 1)}
    assert transactions() < Patient.objects.count() * 0.8


def test_a_bad_registration_does_not_fail_its_neighbours(server, registrar):
    """A faulty body, a person who is here, and a taken identifier, beside good ones."""
    held = [{"system": "insurance", "value": "HELD1"}]
    assert status(registrar.post({**JANE, "identifiers": held})) == 201
    clients = [Registrar(server, registrar.token) for _ in range(16)]
    for turn in range(5):
        good = [people_of(place, turn + 1)[turn] for place in range(8)]
        bad = [{"familyName": ""}, JANE, {"familyName": f"Other{turn}", "identifiers": held}]
        bodies = [*good, *bad, *bad, {**JANE, "givenName": "JANE"}, b"{"]
        answers = post_at_once(clients, bodies)
        assert [status(answer) for answer in answers] == [201] * 8 + [400, 409, 409] * 2 + [
            409,
            400,
        ]
    assert Patient.objects.filter(family_name__startswith="Family").count() == 40


def test_a_person_is_registered_once_however_many_do_it_at_once(server, registrar):
    """Red when two of one message are both written. Some of them go through Django."""
    clients = [Registrar(server, registrar.token) for _ in range(12)]
    for turn in range(10):
        person = {
            "familyName": f"Twice{turn}",
            "givenName": "Ann Marie",
            "dateOfBirth": "1950-02-03",
        }
        respelt = {**person, "givenName": "Marie ANN"}
        answers = post_at_once(
            clients,
            [person, respelt] * 6,
            lambda place: ACCEPT if place % 3 else ACCEPT + THROUGH_DJANGO,
        )
        made = [json.loads(body(answer))["id"] for answer in answers if status(answer) == 201]
        refused = [json.loads(body(answer)) for answer in answers if status(answer) == 409]
        assert (len(made), len(refused)) == (1, 11)
        assert all(refusal["patientIds"] == made for refusal in refused)
        assert Patient.objects.filter(family_name=person["familyName"]).count() == 1


def test_an_identifier_is_given_once_however_many_do_it_at_once(server, registrar):
    clients = [Registrar(server, registrar.token) for _ in range(12)]
    for turn in range(5):
        shared = [{"system": "insurance", "value": f"ONE{turn}"}]
        bodies = [{"familyName": f"Holder{place}", "identifiers": shared} for place in range(12)]
        answers = post_at_once(clients, bodies)
        assert sorted(map(status, answers)) == [201] + [409] * 11
        assert PatientIdentifier.objects.filter(value=f"ONE{turn}").count() == 1


def test_a_locked_person_keeps_nobody_else_waiting(server, registrar):
    """Red when a message waits for the lock of one of its people."""
    other = Registrar(server, registrar.token)
    details = {"family_name": "Example", "given_name": "Jane", "date_of_birth": "1970-05-05"}
    with transaction.atomic():
        lock_people([person_key(details)])
        other.socket.sendall(other.message(JANE))
        for person in people_of(1, 5):
            answer = registrar.post(person)
            assert status(answer) == 201
            assert count_gathered(json.loads(body(answer))["id"])
        other.socket.settimeout(0.2)
        with pytest.raises(TimeoutError):
            other.socket.recv(1)
    other.socket.settimeout(60)
    assert status(other.ask(b"")) == 201


def test_what_postgresql_refuses_fails_no_neighbour(server, registrar):
    """Another transaction takes an identifier and does not end: the whole message is refused."""
    holder = json.loads(body(registrar.post({"familyName": "Holder"})))["id"]
    clients = [Registrar(server, registrar.token) for _ in range(8)]
    bodies = [{"familyName": f"Plain{place}"} for place in range(7)]
    answers = []
    with transaction.atomic():
        PatientIdentifier.objects.create(patient_id=holder, system="insurance", value="LATE1")
        late = {"familyName": "Late", "identifiers": [{"system": "insurance", "value": "LATE1"}]}
        waiting = threading.Thread(
            target=lambda: answers.extend(post_at_once(clients, [late, *bodies]))
        )
        waiting.start()
        wait_for(lambda: Patient.objects.filter(family_name__startswith="Plain").count() == 7)
    waiting.join()
    assert [status(answer) for answer in answers] == [409] + [201] * 7


def end_loop_connections() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND query LIKE '%EXECUTE gathered_people%'"
        )


def test_an_idle_connection_that_ends_costs_no_registration(registrar):
    """Red when what was never sent is answered by an error, or no other connection is made."""
    for turn in range(3):
        end_loop_connections()
        wait_for(lambda: count_gathered() == 0)
        number = iter(range(1000))

        def is_gathered(turn=turn, number=number) -> bool:
            answer = registrar.post({"familyName": f"After{turn}x{next(number)}"})
            assert status(answer) == 201
            return count_gathered() == 1

        wait_for(is_gathered, seconds=20)


def test_what_is_answered_is_there_whenever_postgresql_ends_a_connection(server, registrar):
    """Red when an answer leaves before its commit, or a lost message is written twice."""
    stop = threading.Event()
    made: dict[str, str] = {}
    unsure: set[str] = set()

    def register(place: int) -> None:
        client, number = Registrar(server, registrar.token), 0
        while not stop.is_set():
            number += 1
            name = f"Kept{place}x{number}"
            answer = client.post({"familyName": name})
            assert status(answer) in {201, 503}, answer
            if status(answer) == 201:
                made[name] = json.loads(body(answer))["id"]
                assert Patient.objects.filter(pk=made[name]).exists()
            else:
                assert b"Retry-After: 2" in answer
                unsure.add(name)
        connection.close()

    with ThreadPoolExecutor(8) as pool:
        running = [pool.submit(register, place) for place in range(8)]
        try:
            for _ in range(25):
                enough = len(made) + 5
                wait_for(lambda enough=enough: len(made) > enough and count_gathered())
                end_loop_connections()
        finally:
            stop.set()
        for registering in running:
            registering.result()
    kept = dict(
        Patient.objects.filter(family_name__startswith="Kept").values_list("family_name", "pk")
    )
    assert len(kept) == Patient.objects.filter(family_name__startswith="Kept").count()
    assert {name: str(kept.get(name)) for name in made} == made
    assert kept.keys() - made.keys() <= unsure


def test_each_is_counted_by_its_route(server, registrar):
    def counted() -> float:
        text = server.get("/metrics", internal=True).text
        labels = 'method="POST",route="api/patients",status="201"'
        [value] = re.findall(f"portal_requests_total{{{labels}}} (.*)", text)
        return float(value)

    before = counted()
    for number in range(5):
        registrar.post({"familyName": f"Counted{number}"})
    assert counted() == before + 5


def test_what_is_answered_is_there_when_the_web_process_is_killed(tmp_path, token):
    """Red when an answer leaves before its commit."""
    database = urlsplit(os.environ["DATABASE_URL"])
    url = database._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    answered: dict[str, str] = {}
    stop = threading.Event()

    def register(server, place: int) -> None:
        client, number = None, 0
        while not stop.is_set():
            number += 1
            name = f"Killed{place}x{number}"
            try:
                client = client or Registrar(server, token)
                answer = client.post({"familyName": name})
            except OSError:
                answer = b""
            if answer:
                assert status(answer) == 201
                answered[name] = json.loads(body(answer))["id"]
            else:
                client = None
                time.sleep(0.05)

    with running_web_server(tmp_path, DATABASE_URL=url) as server, ThreadPoolExecutor(8) as pool:
        running = [pool.submit(register, server, place) for place in range(8)]
        try:
            for _ in range(3):
                enough = len(answered) + 50
                wait_for(lambda enough=enough: len(answered) > enough and count_gathered())
                for worker in psutil.Process(server.process.pid).children():
                    worker.kill()
        finally:
            stop.set()
        for registering in running:
            registering.result()
    kept = Patient.objects.filter(family_name__startswith="Killed")
    assert len({*kept.values_list("family_name", flat=True)}) == kept.count()
    assert {str(key) for key in kept.values_list("pk", flat=True)} >= {*answered.values()}
