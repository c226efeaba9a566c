"""Development: nothing has to be configured."""

from loyalty_platform.settings import development, environment

environment.fallbacks.update(development.values(environment.VAR))

from loyalty_platform.settings.base import *  # noqa: E402, F403 - base reads the fallbacks set above
from loyalty_platform.settings.base import ALLOWED_HOSTS, CSRF_TRUSTED_ORIGINS, SITE_URL  # noqa: E402 - as above

DEBUG = True
ALLOWED_HOSTS = [*ALLOWED_HOSTS, "localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = [*CSRF_TRUSTED_ORIGINS, SITE_URL.replace("127.0.0.1", "localhost")]
