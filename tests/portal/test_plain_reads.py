"""Plain reads of programs are answered in the web server's loop, and as Django would answer them.

A header that the loop does not know sends the same request through Django.
"""

import json
import re
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework_simplejwt.tokens import AccessToken

from portal.accounts.models import RefreshToken, User
from portal.patients import services
from portal.patients.models import AccessRecord
from tests.past_the_checks import write_past_the_checks
from tests.portal.plain_client import (
    ACCEPT,
    THROUGH_DJANGO,
    Client,
    body,
    head,
    status,
    token_of,
)
from tests.waits import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people():
    names = ["Abel", "Bohm", "Cole", "Dunn", "Łukasz"]
    return [
        services.register_patient({"family_name": name, "given_name": "Eva"}, by=None, source="api")
        for name in names
    ]


def count_gathered(name: str = "") -> int:
    """Returns how many connections ran a statement of the loop last."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND query LIKE %s",
            [f"%EXECUTE gathered_{name}%"],
        )
        return cursor.fetchone()[0]


@pytest.fixture
def client(server, token, people):
    """A client whose reads are answered in the loop from now on."""
    client = Client(server, token)

    def is_plain() -> bool:
        client.get(f"/api/patients/{people[0].pk}")
        return count_gathered("patients") > 0

    wait_for(is_plain, seconds=20)
    AccessRecord.objects.all().delete()
    return client


PLAIN = [
    ("/auth/validate", ACCEPT),
    ("/api/patients", ACCEPT),
    ("/api/patients?limit=2", ACCEPT),
    ("/api/patients?limit=5", ACCEPT),
    ("/api/patients?limit=200", ACCEPT),
    ("/api/patients?q=abel", ACCEPT),
    ("/api/patients?q=eva&limit=2", ACCEPT),
    ("/api/patients?limit=1&q=%20e+", b""),
    ("/api/patients?q=eva%22%3C[]|;&limit=1", ACCEPT),
    ("/api/patients?q=%C5%82ukasz&limit=200", b"X-Request-Id: from-the-client-2\r\n"),
    ("/api/patients?q=nobody;%3d&limit=7", b"X-Forwarded-Proto: https\r\n"),
    ("/api/patients?q=e", b"Accept: */*\r\nAccept-Encoding: gzip\r\nConnection: keep-alive\r\n"),
    ("/api/patients/{id}", ACCEPT),
    ("/api/patients/{id}", b""),
    ("/api/patients/{id}", b"Accept: */*\r\nAccept-Encoding: gzip\r\nConnection: keep-alive\r\n"),
    ("/api/patients/{id}", b"X-Request-Id: from-the-client-1\r\n" + ACCEPT),
    ("/api/patients/{id}", b"x-request-id: no good id; 1\r\n" + ACCEPT),
    ("/api/patients?limit=2", b"X-Forwarded-Proto: https\r\nX-Forwarded-Host: 127.0.0.1\r\n"),
    ("/api/patients?limit=2", b"Forwarded: proto=https\r\nX-Forwarded-For: 10.0.0.9\r\n"),
]
ODD = [
    ("/api/patients/{id}", b"Accept: text/html\r\n"),
    ("/api/patients/{id}", b"Accept: application/xml\r\n"),
    ("/api/patients/{id}", b"X-Forwarded-Host: elsewhere.example\r\n"),
    ("/api/patients/{id}", b"Host: elsewhere.example\r\n"),
    ("/api/patients/{id}", b"Authorization: Bearer x\r\n"),
    ("/api/patients/{id}", b"Range: bytes=0-1\r\n"),
    ("/api/patients/{id}?format=json", ACCEPT),
    ("/api/patients/{id}/", ACCEPT),
    ("/api/patients/00000000-0000-0000-0000-000000000000", ACCEPT),
    ("/api/patients/{ID}", ACCEPT),
    ("/api/patients?limit=0", ACCEPT),
    ("/api/patients?limit=201", ACCEPT),
    ("/api/patients?limit=2&limit=2", ACCEPT),
    ("/api/patients?q=", ACCEPT),
    ("/api/patients?q=%20&limit=2", ACCEPT),
    ("/api/patients?q=abel&limit=0", ACCEPT),
    ("/api/patients?q=abel&limit=201", ACCEPT),
    ("/api/patients?q=abel&q=cole", ACCEPT),
    ("/api/patients?q=abel&limit=%32", ACCEPT),
    ("/api/patients?q=abel&sex=female", ACCEPT),
    ("/api/patients?q=abel&format=json", ACCEPT),
    ("/api/patients?q=abel&cursor=x", ACCEPT),
    ("/api/patients?q=a%00b", ACCEPT),
    ("/api/patients?q=a%ED%A0%80b", ACCEPT),
    ("/api/patients?q=abel&Q=1", ACCEPT),
    ("/api/patients?q=abel", b"Accept: text/html\r\n"),
    ("/api/patients?q=abel", b"Authorization: Bearer x\r\n"),
    ("/api/patients?limit=02", ACCEPT),
    ("/auth/validate?x=1", ACCEPT),
]


def test_the_loop_sends_the_bytes_that_django_sends(client, people):
    """Red when a header or the body of one way is changed and that of the other is not."""
    for path, headers in PLAIN:
        path = path.format(id=people[4].pk)
        ours = client.get(path, headers)
        assert status(ours) == 200
        theirs = client.get(path, headers + THROUGH_DJANGO)
        assert head(ours) == head(theirs)
        is_same = body(ours) == body(theirs)  # pytest would compare them for minutes.
        assert is_same, path


def test_what_is_not_plain_is_answered_by_django(client, people):
    """Red when the loop answers a request that Django would refuse or answer otherwise."""
    for path, headers in ODD:
        path = path.format(id=people[1].pk, ID=str(people[1].pk).upper())
        ours, through_django = [
            Client(client.server, client.token).get(path, headers + more)
            for more in (b"", THROUGH_DJANGO)
        ]
        assert status(ours) == status(through_django), (path, headers)
        if status(ours) == 200 and b"html" not in headers:
            assert head(ours) == head(through_django)
            assert body(ours) == body(through_django)


def test_two_requests_at_once_and_half_a_request_are_answered(client, people):
    whole = client.request(f"/api/patients/{people[0].pk}")
    assert client.ask(whole + whole).count(b"HTTP/1.1 200 OK") >= 1
    other = Client(client.server, client.token)
    other.socket.sendall(whole[:-3])
    assert status(client.ask(whole)) == 200  # So the loop has read the half before.
    assert status(other.ask(whole[-3:])) == 200


def test_reads_that_wait_together_are_each_recorded(server, client, people, make_user, front_desk):
    """Red when readers that share a statement share an access record, or get another's patient."""
    users = [make_user("operator"), make_user("clinician"), front_desk]
    clients = [Client(server, token_of(user)) for user in users for _ in range(8)]
    asked = {}

    def read(number: int) -> None:
        reader, user = clients[number], users[number // 8]
        for turn in range(20):
            patient = people[(number + turn) % 5] if turn % 4 else None
            request_id = f"read-{number:03}-{turn:03}"
            path = f"/api/patients/{patient.pk}" if patient else "/api/patients?limit=3"
            answer = reader.get(path, f"X-Request-Id: {request_id}\r\n".encode())
            found = json.loads(body(answer))
            ids = [row["id"] for row in found] if isinstance(found, list) else [found["id"]]
            assert patient is None or ids == [str(patient.pk)]
            assert f"X-Request-Id: {request_id}".encode() in answer
            asked[request_id] = (user.pk, ids, "open" if patient else "list", "api")

    with ThreadPoolExecutor(len(clients)) as pool:
        list(pool.map(read, range(len(clients))))
    recorded = {
        record.request_id: (
            record.user_id,
            list(map(str, record.patient_ids)),
            record.action,
            record.door,
        )
        for record in AccessRecord.objects.filter(request_id__startswith="read-")
    }
    assert recorded == asked
    assert AccessRecord.objects.filter(request_id__startswith="read-").count() == len(asked)
    moments = AccessRecord.objects.filter(request_id__startswith="read-").values("at").distinct()
    assert moments.count() < len(asked)  # They shared statements.


def test_an_answer_waits_for_its_access_record(client, people):
    """Red when the answer leaves before the commit: then the record is not there at once."""
    for number in range(20):
        client.get(f"/api/patients/{people[0].pk}", f"X-Request-Id: read-{number:04}\r\n".encode())
        assert AccessRecord.objects.filter(request_id=f"read-{number:04}").exists()


def test_a_read_that_fails_does_not_fail_its_neighbours(server, client, people):
    """A patient whose date cannot be, and one who is not there, beside good ones."""
    write_past_the_checks(people[1], date_of_birth="19840-03-15")
    nobody = uuid.uuid4()
    paths = [people[0].pk, people[1].pk, nobody, people[2].pk] * 6
    clients = [Client(server, client.token) for _ in paths]
    with ThreadPoolExecutor(len(paths)) as pool:
        for _ in range(5):
            answers = list(
                pool.map(
                    lambda pair: pair[0].get(f"/api/patients/{pair[1]}"),
                    zip(clients, paths, strict=True),
                )
            )
            for path, answer in zip(paths, answers, strict=True):
                assert status(answer) == (404 if path == nobody else 200)
                assert path == nobody or json.loads(body(answer))["id"] == str(path)
    assert AccessRecord.objects.count() == 5 * 18


def test_a_page_with_a_date_that_cannot_be_is_djangos(client, people):
    write_past_the_checks(people[1], date_of_birth="19840-03-15")
    answer = client.get("/api/patients?limit=3")
    assert [row["id"] for row in json.loads(body(answer))] == [str(row.pk) for row in people[:3]]
    assert AccessRecord.objects.count() == 1


def test_a_list_goes_on_where_the_page_of_the_loop_ended(client, people):
    answer = client.get("/api/patients?limit=2")
    assert count_gathered("page_2") == 1
    first = [row["familyName"] for row in json.loads(body(answer))]
    services.register_patient({"family_name": "Aaron"}, by=None, source="api")
    link = re.search(rb"Link: <http://[^/]+([^>]+)>", answer)[1].decode()
    second = [row["familyName"] for row in json.loads(body(client.get(link)))]
    assert first == ["Abel", "Bohm"]
    assert second[:2] == ["Aaron", "Cole"] or second[:2] == ["Cole", "Dunn"]


def disable(user: User, _family: uuid.UUID) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def take_role(user: User, _family: uuid.UUID) -> None:
    user.groups.through.objects.filter(user_id=user.pk).delete()


def change_password(user: User, _family: uuid.UUID) -> None:
    User.objects.filter(pk=user.pk).update(password="another")


def sign_out(user: User, family: uuid.UUID) -> None:
    RefreshToken.objects.filter(family=family).update(revoked_at=timezone.now())


@pytest.mark.parametrize(
    ("end", "refusal"), [(disable, 401), (change_password, 401), (sign_out, 401), (take_role, 403)]
)
def test_what_ends_a_token_ends_its_reads_within_a_second(
    server, client, people, front_desk, end, refusal
):
    """Red when the loop believes for longer what it knows of a user. Reads go on all the time."""
    family = uuid.uuid4()
    reader = Client(server, token_of(front_desk, family))
    path = f"/api/patients/{people[0].pk}"
    for _ in range(3):
        assert status(reader.get(path)) == 200
    end(front_desk, family)
    ended_at = time.monotonic()
    while time.monotonic() - ended_at < 1.0:
        reader.get(path)
    assert status(reader.get(path)) == refusal
    assert status(reader.get("/api/patients?q=abel")) == refusal


def test_a_token_that_expires_is_refused(server, client, people, front_desk):
    token = AccessToken.for_user(front_desk)
    token.set_exp(lifetime=timedelta(seconds=3))
    reader = Client(server, str(token))
    path = f"/api/patients/{people[0].pk}"
    assert status(reader.get(path)) == 200
    wait_for(lambda: status(reader.get(path)) == 401, seconds=10)


def test_reads_go_on_when_the_connection_is_lost(client, people):
    """Red when what waits on a dead connection is not answered, or when no other one is made."""
    path = f"/api/patients/{people[0].pk}"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND query LIKE '%EXECUTE gathered_%'"
        )
    wait_for(lambda: count_gathered() == 0)

    def is_gathered() -> bool:
        assert status(client.get(path)) == 200
        return count_gathered() == 1

    wait_for(is_gathered, seconds=20)


def test_each_is_counted_by_its_route(server, client, people):
    def counted() -> float:
        text = server.get("/metrics", internal=True).text
        route = 'route="api/patients/<uuid:patient_id>",status="200"'
        [value] = re.findall(f'portal_requests_total{{method="GET",{re.escape(route)}}} (.*)', text)
        return float(value)

    before = counted()
    for _ in range(5):
        client.get(f"/api/patients/{people[0].pk}")
    assert counted() == before + 5
