"""Runs PostgreSQL, Valkey and a Kafka broker from pip packages, for one machine."""
