"""The test suite: servers that it started itself (tests/servers), fixed secrets, quick hashes."""

import json
import os
import tempfile
from pathlib import Path

from loyalty_platform.settings import environment

# The suite never uses servers or secrets that the developer's environment names.
for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "SITE_URL", "SECRET_KEY", "EMAIL_URL", "ALLOWED_HOSTS"):
    os.environ.pop(name, None)
for name in [name for name in os.environ if name.startswith("LOYALTY_") and not name.startswith("LOYALTY_TEST_")]:
    del os.environ[name]

environment.fallbacks.update(
    {
        "DATABASE_URL": "postgresql://loyalty_app@/loyalty?host=/the-suite-starts-its-own-server",
        "REDIS_URL": "unix:///the-suite-starts-its-own-server",
        "EMAIL_URL": "memorymail://",
        "SECRET_KEY": "a-secret-key-for-tests-only-0123456789",
        "LOYALTY_PIN_PEPPERS": "a-pepper-for-tests-only-0123456789abcdef",
        "LOYALTY_DATA_KEYS": "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
        **json.loads(os.environ.get("LOYALTY_TEST_SERVERS", "{}")),
    }
)

from loyalty_platform.settings.base import *  # noqa: E402, F403 - base reads the fallbacks set above
from loyalty_platform.settings.base import STORAGES  # noqa: E402 - as above

ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
MEDIA_ROOT = Path(tempfile.gettempdir()) / "loyalty-tests-media"
LOYALTY_WALLET_BADGES_DIR = str(MEDIA_ROOT / "no-badges")
