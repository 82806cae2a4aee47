from datetime import UTC, date, datetime

import pytest

from analytics_stream.config import WrongConfig, read_config

NEEDED = {
    "ANALYTICS_DATABASE_URL": "postgresql://analytics:secret-word@db:5432/analytics",
    "KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
}


def test_the_two_required_variables_are_enough():
    config = read_config(NEEDED)
    assert config.brokers == ("kafka:9092",)
    assert (config.topic, config.dead_letter_topic) == ("patient", "patient.dead-letter")
    assert (config.host, config.port, config.time_zone) == ("127.0.0.1", 4002, UTC)


def test_days_begin_by_the_clock_of_the_time_zone():
    zone = read_config({**NEEDED, "TIME_ZONE": "Pacific/Auckland"}).time_zone
    assert datetime(2026, 4, 5, 23, tzinfo=UTC).astimezone(zone).date() == date(2026, 4, 6)


def test_a_socket_address_and_several_brokers_are_read():
    url = "postgresql://analytics:secret-word@/analytics?host=/run/pg"
    config = read_config(
        {"ANALYTICS_DATABASE_URL": url, "KAFKA_BOOTSTRAP_SERVERS": "one:9092, other:9093"}
    )
    assert config.database_url.query["host"] == "/run/pg"
    assert config.brokers == ("one:9092", "other:9093")


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_variable_names_itself(name):
    with pytest.raises(WrongConfig, match=f"{name} is missing"):
        read_config({**NEEDED, name: ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ANALYTICS_DATABASE_URL", "mysql://a:secret-word@db/analytics"),
        ("ANALYTICS_DATABASE_URL", "secret-word"),
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka"),
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka:nine"),
        ("ANALYTICS_PORT", "70000"),
        ("TIME_ZONE", "Mars/Olympus"),
        ("TIME_ZONE", "../etc/passwd"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_wrong_variable_names_itself_and_keeps_its_secret(name, value):
    with pytest.raises(WrongConfig, match=name) as wrong:
        read_config({**NEEDED, name: value})
    assert "secret-word" not in str(wrong.value)


def test_the_config_does_not_print_the_password():
    assert "secret-word" not in repr(read_config(NEEDED))
