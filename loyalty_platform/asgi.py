"""The web application for an ASGI server; the product itself is synchronous and runs under WSGI."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "loyalty_platform.settings.production")

application = get_asgi_application()
