"""The broker process behind `embedded.kafka`: writes down its address, serves until its standard input closes."""

import sys
from pathlib import Path

from confluent_kafka import Producer

from embedded.programs import private_file


def serve(address: Path) -> None:
    """Whoever started us closes our input, or dies, and that ends us too."""
    producer = Producer({"bootstrap.servers": "memory", "test.mock.num.brokers": 1})
    (broker,) = producer.list_topics(timeout=30).brokers.values()
    private_file(address, f"{broker.host}:{broker.port}")
    sys.stdin.read()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
