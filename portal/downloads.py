"""Files that are read while they are sent, a few at once: each keeps a web thread until its end."""

import threading
import weakref
from collections.abc import Callable, Iterable, Iterator

from django.http import StreamingHttpResponse

from portal.errors import Busy

AT_ONCE = 3  # Downloads of a process, of whose 8 threads (portal/gunicorn.py) 5 stay for others.
RETRY_SECONDS = 30  # That a refused client is told to wait.

_places = threading.BoundedSemaphore(AT_ONCE)


def send_file(
    name: str, lines: Callable[[], Iterable[str]], *, content_type: str = "text/csv; charset=utf-8"
) -> StreamingHttpResponse:
    """Returns the answer that sends the lines as a file of this name.

    `lines` begins to read, and is called when there is a place. Raises Busy, as 503 with the
    seconds to wait, where there is none.
    """
    if not _places.acquire(blocking=False):
        message = (
            f"{AT_ONCE} files are being downloaded at this moment, and we send no more at once. "
            "Try again in half a minute."
        )
        raise Busy(message, retryAfter=RETRY_SECONDS)
    try:
        download = _Download(lines())
    except BaseException:
        _places.release()
        raise
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(download, content_type=content_type, headers=headers)


class _Download(Iterator[str]):
    """The lines of a file, which hold their place until the answer is closed or forgotten."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self.close = weakref.finalize(self, _places.release)  # Django calls it at the end.

    def __next__(self) -> str:
        return next(self._lines)
