"""The relay's own way into kafka-python writes what kafka-python itself would write."""

import os
import random

from kafka.partitioner.default import murmur2 as their_murmur2
from kafka.record.default_records import DefaultRecordBatchBuilder

from portal.events.encoding import Message
from portal.events.producer import KafkaSender
from portal.events.wave_producer import _Wave, encode_body, murmur2

KEY = b"0193a5e2-7f3c-7abc-8def-0123456789ab"
MOMENT = 1_700_000_000_000
NO_DEADLINE = float("inf")


def drawn_message(number: int) -> Message:
    dice = random.Random(number)
    headers = [("ce_id", b"1" * dice.randrange(200)), ("ü", b""), ("long" * 40, b"2")]
    value = dice.randbytes(dice.choice((0, 1, 63, 64, 5_000, 20_000)))
    return Message(number, "patient", KEY, value, headers[: dice.randrange(4)])


def test_a_batch_is_the_one_of_kafka_python():
    messages = [drawn_message(number) for number in range(200)]
    ours = _Wave(2, 0, 1 << 24)
    theirs = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 1 << 24)
    for number, message in enumerate(messages):
        assert ours.add(encode_body(message), MOMENT) == number
        theirs.append(number, MOMENT, message.key, message.value, message.headers)
    ours.close()
    assert bytes(ours.buffer()) == bytes(theirs.build())


def test_a_patient_stays_in_the_partition():
    for length in (0, 1, 2, 3, 4, 36, 37, 38, 39):
        key = os.urandom(length)
        assert murmur2(key) == their_murmur2(key)


def test_a_wave_of_several_batches_arrives_whole_and_without_what_is_too_large(topic):
    sender = KafkaSender()
    keys = [b"%036d" % number for number in range(40)]
    messages = [Message(at, str(at), key, b"v" * 50_000, []) for at, key in enumerate(keys)]
    large = Message(99, "99", b"99", b"v" * 2_000_000, [])
    try:
        delivery = sender.deliver([*messages[:20], large, *messages[20:]], before=NO_DEADLINE)
    finally:
        sender.close()
    assert [refusal.message for refusal in delivery.refusals] == [large]
    places = {(receipt.partition, receipt.offset) for receipt in delivery.receipts}
    assert len(places) == len(messages)
    assert {receipt.message.event_id for receipt in delivery.receipts} == set(range(40))
    for number in {receipt.partition for receipt in delivery.receipts}:
        offsets = [place.offset for place in delivery.receipts if place.partition == number]
        assert offsets == list(range(len(offsets)))
