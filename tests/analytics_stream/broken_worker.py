"""A worker with a fault, named on the command line, for tests of what it does then."""

import asyncio
import os
import sys
import time

from analytics_stream import batch_processor, progress, store
from analytics_stream.app import run
from analytics_stream.batch_processor import BatchProcessor
from analytics_stream.config import read_config
from analytics_stream.logs import log_as_json
from analytics_stream.watchdog import Watchdog


async def wait_forever(*_):
    await asyncio.sleep(1e9)


async def block_event_loop(*_):
    time.sleep(1e9)


async def raise_error(*_):
    raise RuntimeError("Jane Q. Public")


def fail_to_count(events):
    """Counts by our own rules, with an error that some events cause."""
    if any(event.state.region == "Where counting fails" for event in events):
        raise ZeroDivisionError("Jane Q. Public")
    return event_counts(events)


def fail_to_decode(value):
    if value == b"where decoding fails":
        raise LookupError("Jane Q. Public")
    return decode(value)


event_counts, decode = store.event_counts, batch_processor.decode
ERRORS = {
    "errors": [(store, "event_counts", fail_to_count), (batch_processor, "decode", fail_to_decode)]
}

# Faults that a worker cannot survive.
FAULTS = {
    "batch waits forever": [(BatchProcessor, "process", wait_forever)],
    "batch blocks the event loop": [(BatchProcessor, "process", block_event_loop)],
    "batch raises": [(BatchProcessor, "process", raise_error)],
    # No batch may be done before the watchdog's first update.
    "watchdog raises": [
        (Watchdog, "_partitions", raise_error),
        (BatchProcessor, "process", wait_forever),
    ],
}

if __name__ == "__main__":
    # With these two the watchdog must not be quicker than Faust's own end.
    if sys.argv[1] not in ("watchdog raises", "errors"):
        progress.STUCK_SECONDS = 3.0
    log_as_json("INFO")
    for patch in (FAULTS | ERRORS)[sys.argv[1]]:
        setattr(*patch)
    os._exit(run(read_config(os.environ)))
