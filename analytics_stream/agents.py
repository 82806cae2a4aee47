"""The agent of Faust: a loop over batches."""

from typing import Any

from faust import App, Schema, StreamT

from analytics_stream.batch_processor import BatchProcessor
from analytics_stream.database import OffsetsLost
from analytics_stream.dead_letters import CannotGoOn
from analytics_stream.shutdown import end_process


class BatchSchema(Schema):
    """Takes a batch as it is: Faust's codecs know single messages only."""

    def loads_key(self, *_: Any, **__: Any) -> Any:
        return None

    def loads_value(self, *arguments: Any, **_: Any) -> Any:
        _, message = arguments
        return message.value


def add_agent(app: App, topic: str, processor: BatchProcessor) -> None:
    """Adds the agent that counts every message of the topic.

    Each worker has one loop: with two, a kill was seen to lose an event.
    """
    channel = app.topic(topic, schema=BatchSchema())

    @app.agent(channel, name="counting", concurrency=1)
    async def count(stream: StreamT[Any]) -> None:
        stream.enable_acks = False  # The group gets the offsets that the database has.
        try:
            async for batch in stream:
                await processor.process(batch)
        except (CannotGoOn, OffsetsLost) as reason:
            end_process(str(reason))
        except Exception as error:  # Faust would go on with the next batch.
            end_process("Counting failed with an unforeseen error.", error)
