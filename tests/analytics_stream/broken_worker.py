"""A worker with one thing broken, named on the command line: for tests of what it does then."""

import asyncio
import os
import sys
import time

from analytics_stream import batch_processor, progress, store
from analytics_stream.app import run
from analytics_stream.batch_processor import Intake
from analytics_stream.config import read_config
from analytics_stream.logs import log_as_json
from analytics_stream.watchdog import Lookout


async def waits_for_ever(*_):
    await asyncio.sleep(1e9)


async def blocks_the_event_loop(*_):
    time.sleep(1e9)


async def raises(*_):
    raise RuntimeError("Jane Q. Public")


def counts_not(events):
    """Our own rules, with a mistake that some events bring to light."""
    if any(event.state.region == "Where counting fails" for event in events):
        raise ZeroDivisionError("Jane Q. Public")
    return event_counts(events)


def decodes_not(value):
    if value == b"where decoding fails":
        raise LookupError("Jane Q. Public")
    return decode(value)


event_counts, decode = store.event_counts, batch_processor.decode
MISTAKES = {
    "mistakes": [(store, "event_counts", counts_not), (batch_processor, "decode", decodes_not)]
}

BREAKS = {
    "batch waits for ever": [(Intake, "take_in", waits_for_ever)],
    "batch blocks the event loop": [(Intake, "take_in", blocks_the_event_loop)],
    "batch raises": [(Intake, "take_in", raises)],
    # And no batch may be done before the first look.
    "lookout raises": [(Lookout, "_standings", raises), (Intake, "take_in", waits_for_ever)],
}

if __name__ == "__main__":
    if sys.argv[1] not in (
        "lookout raises",
        "mistakes",
    ):  # There the watchdog must not be quicker than Faust's own end.
        progress.STUCK_SECONDS = 3.0
    log_as_json("INFO")
    for broken in (BREAKS | MISTAKES)[sys.argv[1]]:
        setattr(*broken)
    os._exit(run(read_config(os.environ)))
