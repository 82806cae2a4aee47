"""Django's PostgreSQL, with a check of idle connections that asks the socket and not the server."""
