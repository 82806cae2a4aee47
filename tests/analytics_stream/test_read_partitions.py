import asyncio

from faust.types import TP

from analytics_stream.transport import CarefulConsumer

KNOWN, NEW = TP("patient", 0), TP("patient", 1)


class Consumer(CarefulConsumer):
    """Ours, with a group that has committed the first of two partitions, and without its thread."""

    def __init__(self):
        self._read_offset, self._committed_offset = {KNOWN: 90, NEW: 12}, {}
        self._thread, self.sought = self, []

    def assignment(self):
        return {KNOWN, NEW}

    async def seek_to_committed(self):
        return {KNOWN: 42, NEW: None}

    async def seek_to_beginning(self, *partitions):
        self.sought += partitions


def test_a_partition_without_a_committed_offset_is_read_again_from_its_beginning():
    """Red when this is left to Faust: what it threw away in a rebalance of a new group was then never read."""
    consumer = Consumer()
    asyncio.run(consumer.perform_seek())
    assert [tuple(partition) for partition in consumer.sought] == [NEW]
    assert consumer._read_offset == {KNOWN: 42, NEW: None}
