"""The web application for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "loyalty_platform.settings.production")

application = get_wsgi_application()

from loyalty_platform import warming  # noqa: E402 - it needs the apps

warming.warm_up()
