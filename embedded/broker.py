"""The broker process behind `embedded.kafka`: serves on a port that was chosen for it, until its input closes.

librdkafka's broker listens where it likes, and sends its clients there (kcat issue 458 asks for more). So we stand
before it: every client comes through our port, and reads in the answers that this is where the broker is.
"""

import asyncio
import sys
from collections.abc import Callable
from contextlib import closing

from confluent_kafka import Producer

HOST = "127.0.0.1"


async def serve(port: int) -> None:
    """Whoever started us closes our input, or dies, and that ends us too."""
    producer = Producer({"bootstrap.servers": "memory", "test.mock.num.brokers": 1})
    (broker,) = producer.list_topics(timeout=30).brokers.values()
    there, here = _place(broker.port), _place(port)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            there_reader, there_writer = await asyncio.open_connection(HOST, broker.port)
            with closing(there_writer):
                try:
                    async with asyncio.TaskGroup() as both_ways:
                        both_ways.create_task(_carry(reader, there_writer, bytes))
                        both_ways.create_task(
                            _carry(there_reader, writer, lambda body: body.replace(there, here))
                        )
                except* (asyncio.IncompleteReadError, OSError):
                    pass  # One side has hung up, and so do we on the other.

    server = await asyncio.start_server(accept, HOST, port)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


async def _carry(
    source: asyncio.StreamReader, sink: asyncio.StreamWriter, change: Callable[[bytes], bytes]
) -> None:
    """Every request and every answer is its length in four bytes and a body."""
    while True:
        length = await source.readexactly(4)
        body = await source.readexactly(int.from_bytes(length))
        sink.write(length + change(body))
        await sink.drain()


def _place(port: int) -> bytes:
    """How answers say where a broker is."""
    return HOST.encode() + port.to_bytes(4)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
