"""Cursors that hold personal data: nobody reads or changes them, as addresses are seen and logged.

It is a synthetic IV cipher (as RFC 5297), out of the standard library: an HMAC of the values is the
nonce of the key stream, and proves the text when it is opened. An edited cursor, one of another
list, or one that was sealed by another SECRET_KEY is refused.
"""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import blake2b, shake_256
from typing import Any
from uuid import UUID

from django.conf import settings

from portal.pagination import bad_cursor

TAG_BYTES = 16
BLOCK_BYTES = 16  # Values are filled up to whole blocks, so that the length tells little.
MARK_LENGTH = 10  # Characters; of fifty rows, two have the same mark once in a billion lists.
LONGEST_CURSOR = 6_000  # Characters; the longest names make some 2,000.


def seal_cursor(values: Sequence[Any], *, purpose: str) -> str:
    """Returns these JSON values as a text that is opened for the same purpose only."""
    data = json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()
    data += b" " * (-len(data) % BLOCK_BYTES)
    tag = _tag(data, purpose)
    return urlsafe_b64encode(tag + _cipher(data, tag)).decode().rstrip("=")


def open_cursor(cursor: str, *, purpose: str) -> list[Any]:
    """Returns the values of a sealed cursor. InvalidInput if it is none of ours."""
    if len(cursor) > LONGEST_CURSOR:
        raise bad_cursor()
    try:
        sealed = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError as error:
        raise bad_cursor() from error
    tag, data = sealed[:TAG_BYTES], sealed[TAG_BYTES:]
    data = _cipher(data, tag)
    if not hmac.compare_digest(tag, _tag(data, purpose)):
        raise bad_cursor()
    values: list[Any] = json.loads(data)
    return values


def mark_of(row_id: UUID) -> str:
    """Returns a short mark of a row, of MARK_LENGTH, for a cursor that names many."""
    return blake2b(row_id.bytes, digest_size=MARK_LENGTH // 2).hexdigest()


def _tag(data: bytes, purpose: str) -> bytes:
    name = purpose.encode(errors="surrogatepass")
    return hmac.digest(_key("tag"), len(name).to_bytes(8) + name + data, "sha256")[:TAG_BYTES]


def _cipher(data: bytes, tag: bytes) -> bytes:
    """Encrypts and decrypts."""
    stream = shake_256(_key("stream") + tag).digest(len(data))
    return bytes(left ^ right for left, right in zip(data, stream, strict=True))


def _key(use: str) -> bytes:
    return hmac.digest(
        settings.SECRET_KEY.encode(), f"portal.sealed_cursor.{use}".encode(), "sha256"
    )
