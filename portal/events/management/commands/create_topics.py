"""`manage.py create_topics`: create the Kafka topics that are missing."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from kafka.errors import KafkaError

from portal.events.topics import create_topics


class Command(BaseCommand):
    help = "Create the Kafka topics that are missing. Running it again changes nothing."

    def handle(self, *_: Any, **__: Any) -> None:
        try:
            results = create_topics()
        except KafkaError as error:
            kind = type(error).__name__
            raise CommandError(
                f"Kafka does not answer as expected ({kind}). See KAFKA_BOOTSTRAP_SERVERS."
            ) from error
        for name, result in results.items():
            self.stdout.write(f"{name}: {result}")
