"""The agent of Faust: a loop over batches."""

from typing import Any, cast

from faust import App, Stream, StreamT

from analytics_stream.batch_processor import BatchProcessor, Delivery
from analytics_stream.database import OffsetsLost
from analytics_stream.dead_letters import CannotGoOn
from analytics_stream.shutdown import end_process

LARGEST_BATCH = 1000  # messages
GATHER_SECONDS = 0.1  # Longest time to wait for more messages of a batch.


def add_agent(app: App, topic: str, processor: BatchProcessor) -> None:
    """Adds the agent that counts every message of the topic.

    Each worker has one loop: with two, a kill was seen to lose an event.
    """
    channel = app.topic(topic, key_type=bytes, value_type=bytes, value_serializer="raw")

    @app.agent(channel, name="counting", concurrency=1)
    async def count(stream: StreamT[Any]) -> None:
        try:
            async for batch in cast(Stream[Any], stream).noack_take(
                LARGEST_BATCH, within=GATHER_SECONDS
            ):
                await processor.process(cast(list[Delivery], batch))
        except (CannotGoOn, OffsetsLost) as reason:
            end_process(str(reason))
        except Exception as error:  # Faust would acknowledge the batch and go on.
            end_process("Counting failed with an unforeseen error.", error)
