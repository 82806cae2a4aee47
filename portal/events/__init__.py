"""The relay: from the event log, as protobuf, to Kafka."""
