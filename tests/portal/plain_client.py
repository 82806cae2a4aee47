"""A program that sends plain requests, which the web server's loop answers, as bytes."""

import re
import uuid

from portal.accounts.models import User
from portal.accounts.services import _issue_tokens

ACCEPT = b"Accept: application/json\r\n"
THROUGH_DJANGO = b"X-Other: 1\r\n"  # A header that the loop does not know.


def token_of(user: User, family: uuid.UUID | None = None) -> str:
    return _issue_tokens(user, family=family or uuid.uuid4()).token


class Client:
    """A connection that stays open, and sends bytes."""

    def __init__(self, server, token: str) -> None:
        self.server = server
        self.socket = server.connect()
        self.token = token

    def get(self, path: str, more: bytes = ACCEPT) -> bytes:
        return self.ask(self.request(path, more))

    def request(self, path: str, more: bytes = ACCEPT) -> bytes:
        host = f"localhost:{self.server.port}"
        head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {self.token}\r\n"
        return head.encode() + more + b"\r\n"

    def ask(self, data: bytes) -> bytes:
        self.socket.sendall(data)
        answer = b""
        while not is_whole(answer):
            part = self.socket.recv(1 << 20)
            if not part:
                break
            answer += part
        return answer


def is_whole(answer: bytes) -> bool:
    head, found, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"Content-Length: (\d+)", head)
    if length is None:
        return bool(found) and body.endswith(b"0\r\n\r\n")
    return bool(found) and len(body) >= int(length[1])


def status(answer: bytes) -> int:
    return int(answer[9:12])


def body(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def head(answer: bytes) -> bytes:
    """Returns status and headers without what is another in each: id, date, cursor's moment."""
    answer = answer.partition(b"\r\n\r\n")[0]
    answer = re.sub(rb"X-Request-Id: [0-9a-f]{32}", b"X-Request-Id: drawn", answer)
    answer = re.sub(rb"Date: [^\r]*", b"Date: now", answer)
    return re.sub(rb"cursor=[^&>]*", b"cursor=sealed", answer)
