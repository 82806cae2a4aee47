"""The bodies, queries and answers of the REST API."""
