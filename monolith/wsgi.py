"""The WSGI application: `gunicorn -c monolith/gunicorn.py monolith.wsgi`."""

import os

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from monolith import env

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "monolith.settings")

if not settings.DEBUG and not env.text("ORCHARD_SECRET_KEY"):
    # Said here rather than at the first login.
    raise ImproperlyConfigured("Set ORCHARD_SECRET_KEY to a long random text; only ORCHARD_DEBUG=1 serves without it.")

application = get_wsgi_application()
