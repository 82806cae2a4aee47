"""The WSGI application that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import resolve

from portal.lean_imports import hidden

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

with hidden("requests"):  # 3 MB that DRF loads for tests alone.
    application = get_wsgi_application()
resolve("/health/live")  # Loads all pages now, not with the first request.
