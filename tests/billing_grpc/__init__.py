"""The billing server's tests."""

import logging

logging.getLogger("alembic").setLevel(
    logging.WARNING
)  # Else its import and each new database are told in the output.
