"""PostgreSQL, Valkey and a Kafka broker out of pip packages, for one machine."""
