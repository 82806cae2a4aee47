"""The lines of the processes: all of them in files, and on the terminal those that need a look."""

import json
import time
from logging import LogRecord
from logging.handlers import RotatingFileHandler
from pathlib import Path

FILE_BYTES = 5_000_000  # of a file; the one before it stays, so a process keeps twice as much
QUIET_LEVELS = {"debug", "info"}
REPEAT_SECONDS = 60.0  # until a line that says the same is shown again


class LogFiles:
    """A file in `folder` for each process, which can be read by its owner alone."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._files: dict[str, _File] = {}
        self._shown_at: dict[tuple[str, str], float] = {}

    def write(self, name: str, line: bytes) -> None:
        """Writes a line of the process. A full disk loses it, and holds nobody up."""
        if name not in self._files:
            self._files[name] = _File(
                self._folder / f"{name}.log", maxBytes=FILE_BYTES, backupCount=1, delay=True
            )
        text = line.decode(errors="replace").rstrip("\r\n")
        self._files[name].emit(LogRecord(name, 0, "", 0, text, None, None))

    def is_worth_showing(self, name: str, line: bytes) -> bool:
        """Tells whether the terminal shows the line: warnings, errors, and all that is no JSON.

        A warning that comes again and again shows once a minute.
        """
        try:
            event = json.loads(line)
            level, what = event["level"], (name, f"{event.get('logger')}: {event.get('event')}")
        except (ValueError, TypeError, KeyError, RecursionError):
            return True
        now = time.monotonic()
        self._shown_at = {
            shown: at for shown, at in self._shown_at.items() if now - at < REPEAT_SECONDS
        }
        if level in QUIET_LEVELS or what in self._shown_at:
            return False
        self._shown_at[what] = now
        return True

    def close(self) -> None:
        for file in self._files.values():
            file.close()


class _File(RotatingFileHandler):
    def handleError(self, record: LogRecord) -> None:  # noqa: N802 - The name is the library's.
        """Says nothing. The library's own would print the line on the terminal."""
