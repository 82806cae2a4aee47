"""The broker process behind `embedded.kafka`: serves on a given port until its input closes.

librdkafka's broker chooses its own port and tells its clients to connect there (kcat issue 458 asks
for a choice). So this process is a proxy: every client connects to our port, and the answers that
it reads name that port as the broker's.
"""

import asyncio
import sys
from collections.abc import Callable
from contextlib import closing

from confluent_kafka import Producer

HOST = "127.0.0.1"


async def serve(port: int) -> None:
    """Serves until the input closes, which happens when our parent closes it or dies."""
    producer = Producer({"bootstrap.servers": "memory", "test.mock.num.brokers": 1})
    (broker,) = producer.list_topics(timeout=30).brokers.values()
    broker_address, our_address = _encode_address(broker.port), _encode_address(port)

    def replace_address(body: bytes) -> bytes:
        return body.replace(broker_address, our_address)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            broker_reader, broker_writer = await asyncio.open_connection(HOST, broker.port)
            with closing(broker_writer):
                try:
                    async with asyncio.TaskGroup() as directions:
                        directions.create_task(_forward(reader, broker_writer, bytes))
                        directions.create_task(_forward(broker_reader, writer, replace_address))
                except* (asyncio.IncompleteReadError, OSError):
                    pass  # One side closed its connection, so the other is closed too.

    server = await asyncio.start_server(accept, HOST, port)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


async def _forward(
    source: asyncio.StreamReader, sink: asyncio.StreamWriter, change: Callable[[bytes], bytes]
) -> None:
    """Forwards messages. Each request and answer is its length in four bytes and a body."""
    while True:
        length = await source.readexactly(4)
        body = await source.readexactly(int.from_bytes(length))
        sink.write(length + change(body))
        await sink.drain()


def _encode_address(port: int) -> bytes:
    """Returns the bytes with which an answer names a broker's address."""
    return HOST.encode() + port.to_bytes(4)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
