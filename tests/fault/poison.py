"""Poison, a message in a hundred: no event at all, or an event that breaks the contract."""

import random
import uuid

from confluent_kafka import KafkaException, Producer

from protos.billing.v1 import billing_service_pb2
from protos.patient.events.v1.patient_event_pb2 import PatientEvent
from tests.fault.probes import Probe
from tests.fault.stores import POISON
from tests.fault.system import System

EVERY_SECONDS = 10.0  # 1 % beside ten writes in a second


class Poisoner(Probe):
    """Writes poison to the topic, past the relay."""

    def __init__(self, system: System, *, seed: int) -> None:
        super().__init__("poison", every_seconds=EVERY_SECONDS)
        self._dice = random.Random(seed)
        self._producer = Producer(
            {"bootstrap.servers": system.brokers, "message.timeout.ms": 5000, "log_level": 0}
        )
        self._number = 0

    def look(self) -> None:
        self._number += 1
        header = [(POISON, str(self._number).encode())]
        try:
            self._producer.produce(
                "patient", self._value(), key=uuid.uuid4().bytes.hex(), headers=header
            )
            self._producer.flush(6)
        except (KafkaException, BufferError):
            pass  # The broker is away. The checks read the topic itself.

    def _value(self) -> bytes | None:
        patient = str(uuid.UUID(int=self._number))
        return self._dice.choice(
            [
                b"\xff\xfe not protobuf",
                None,
                billing_service_pb2.GetBillingAccountRequest(
                    patient_id=patient
                ).SerializeToString(),
                PatientEvent(patient_id=patient, event_id=1, version=0).SerializeToString(),
                PatientEvent(
                    patient_id="nobody", event_id=-1, version=1, status="sleeping"
                ).SerializeToString(),
            ]
        )
