"""Production: every secret comes from the environment, and the site is served over https."""

from loyalty_platform.settings.base import *  # noqa: F403 - settings are made to be extended
from loyalty_platform.settings.base import HTTPS

SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
