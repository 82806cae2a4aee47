"""The messages from before these contracts, built by hand in a pool of their own."""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

Strings = dict[str, int]

PATIENT_EVENT: Strings = {"patientId": 1, "name": 2, "email": 3, "event_type": 4}
BILLING_REQUEST: Strings = {"patientId": 1, "name": 2, "email": 3}
BILLING_RESPONSE: Strings = {"accountId": 1, "status": 2}


def older_message(name: str, fields: Strings, *, package: str = "") -> type[Message]:
    """Builds a proto3 message whose fields are all strings, by name and number."""
    file = descriptor_pb2.FileDescriptorProto(
        name=f"older/{name}.proto", package=package, syntax="proto3"
    )
    message = file.message_type.add(name=name)
    for field, number in fields.items():
        message.field.add(
            name=field,
            number=number,
            type=descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
            label=descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL,
        )
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName(f"{package}.{name}".lstrip("."))
    )
