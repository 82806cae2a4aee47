"""The billing server's tests."""

import logging

# Its import and each new database would write to the output.
logging.getLogger("alembic").setLevel(logging.WARNING)
