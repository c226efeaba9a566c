"""What all environments share. Values come from `environment.py`; nothing else reads the environment."""

from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from loyalty_platform.settings import environment as read
from loyalty_platform.settings import faults
from loyalty_platform.settings.logs import logging_config

BASE_DIR = read.BASE_DIR
VAR = read.VAR

DEBUG = False
SECRET_KEY = read.secret("SECRET_KEY", "it signs sessions and links")
SECRET_KEY_FALLBACKS = read.names("SECRET_KEY_FALLBACKS")
PLATFORM_NAME = read.text("PLATFORM_NAME", "Stempel")
# What the imprint says of whoever runs the platform; empty lines are left out.
OPERATOR = {name: read.text(f"OPERATOR_{name.upper()}") for name in ("address", "email", "phone", "register", "vat")}
SITE_URL = read.web_address("SITE_URL", f"http://127.0.0.1:{read.number('PORT', 8000, minimum=1, maximum=65535)}")
SITE_HOST = urlsplit(SITE_URL).hostname or "localhost"
ALLOWED_HOSTS = [*read.names("ALLOWED_HOSTS"), SITE_HOST]
CSRF_TRUSTED_ORIGINS = [SITE_URL]
TRUST_PROXY = read.flag("TRUST_PROXY")
METRICS_TOKEN = read.text("METRICS_TOKEN")
# A line for each request: number, route, status, milliseconds, merchant.
ACCESS_LOG = read.flag("WEB_ACCESS_LOG")
ROOT_URLCONF = "loyalty_platform.urls"
WSGI_APPLICATION = "loyalty_platform.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# The pages say themselves which form of an address is the right one; the other redirects.
APPEND_SLASH = False

GOOGLE_LOGIN_CLIENT_ID = read.text("GOOGLE_LOGIN_CLIENT_ID")
GOOGLE_LOGIN_CLIENT_SECRET = read.text("GOOGLE_LOGIN_CLIENT_SECRET")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "loyalty_platform.static.StaticFilesConfig",
    "django.contrib.humanize",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.google",
    "csp",
    "django_htmx",
    "core",
    "merchants",
    "stores",
    "customers",
    "loyalty",
    "wallets",
    "dashboard",
]

MIDDLEWARE = [
    "core.tracing.TracingMiddleware",
    "core.metrics.MetricsMiddleware",
    "core.middleware.DatabaseAwayMiddleware",
    "core.middleware.NotFoundMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "core.middleware.PolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "core.middleware.SlashMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "core.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "core.middleware_admin.PlatformAdminMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Database: the application's role, which owns nothing; only `migrate` uses the owner's address.
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **read.database("DATABASE_URL", "it is the address of PostgreSQL for the role loyalty_app"),
        "ENGINE": "loyalty_platform.postgres",
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
    }
}
DATABASE_OWNER_URL = read.text("DATABASE_OWNER_URL")

# Redis: cache, throttles and broker. It may vanish, so nobody waits for it long.
REDIS_URL, CELERY_BROKER_URL = read.redis("REDIS_URL", "it is the address of Redis or Valkey")
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "core.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "loyalty",
        "OPTIONS": {"socket_connect_timeout": 0.2, "socket_timeout": 0.5},
    }
}
SILENCED_SYSTEM_CHECKS = [
    "auth.W004",  # addresses are unique by a constraint on their lower-case form, which this check does not see
    "django_ratelimit.W001",  # it knows only other packages' Redis caches; Django's own counts atomically, too
]

CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = CELERY_EVENT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_SOFT_TIME_LIMIT = 120
CELERY_TASK_TIME_LIMIT = 150
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# A task needs no broker to come to its end; one that is killed leaves rows behind that nobody touches for a while.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 600, "socket_timeout": 5, "socket_connect_timeout": 2}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = read.text("BEAT_SCHEDULE", str(VAR / "beat-schedule"))
# Which tasks hear which topic of the outbox; the relay reads it.
EVENT_ROUTES = "loyalty_platform.events.ROUTES"
# A file whose time says that the relay turns; "" for none.
RELAY_PULSE = read.text("RELAY_PULSE")

# People
AUTH_USER_MODEL = "merchants.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/store/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "merchants.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
# A link confirms the address before the first sign-in: only so a sign-up can hide that an address is known.
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = urlsplit(SITE_URL).scheme
MFA_ADAPTER = "merchants.adapter.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = PLATFORM_NAME
# A code of the half minute before or after counts, too: clocks differ, and people type slowly.
MFA_TOTP_TOLERANCE = 1
SOCIALACCOUNT_ADAPTER = "merchants.social.SocialAccountAdapter"
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {}
if GOOGLE_LOGIN_CLIENT_ID:
    SOCIALACCOUNT_PROVIDERS["google"] = {
        "APPS": [{"client_id": GOOGLE_LOGIN_CLIENT_ID, "secret": GOOGLE_LOGIN_CLIENT_SECRET, "key": ""}],
        "SCOPE": ["profile", "email"],
        "OAUTH_PKCE_ENABLED": True,
        # Tills are shared: nobody signs in as whoever was there before.
        "AUTH_PARAMS": {"prompt": "select_account"},
    }

# Cookies and transport. HSTS is sent over https only.
HTTPS = SITE_URL.startswith("https://")
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUST_PROXY else None
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

# Languages
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French")), ("de", _("German")), ("lb", _("Luxembourgish"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# Files
STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"] if (BASE_DIR / "static").is_dir() else []
STATICFILES_FINDERS = [
    "loyalty_platform.static.SheetFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
]
MEDIA_URL = "/media/"
MEDIA_ROOT = VAR / "media"
FILE_UPLOAD_HANDLERS = [
    "core.uploads.SizeLimit",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "loyalty_platform.static.StaticStorage"},
}
WHITENOISE_AUTOREFRESH = False
WHITENOISE_USE_FINDERS = False

# Mail
vars().update(read.email("EMAIL_URL", "it is the address of the mail server"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = read.text("DEFAULT_FROM_EMAIL", f"{PLATFORM_NAME} <no-reply@{SITE_HOST}>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# API
REST_FRAMEWORK: dict[str, Any] = {
    "EXCEPTION_HANDLER": "core.api.errors.exception_handler",
    "DEFAULT_PAGINATION_CLASS": "core.api.pagination.CursorPagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "core.api.negotiation.OftenJSON",
    "DEFAULT_PARSER_CLASSES": ["core.api.parsers.ExactJSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": f"{PLATFORM_NAME} API",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "ProgramStatusEnum": "loyalty.enums.ProgramStatus",
        "CardStatusEnum": "loyalty.enums.CardStatus",
        "MerchantStatusEnum": "merchants.enums.MerchantStatus",
        "MessageChannelEnum": "customers.enums.Channel",
        "TransactionChannelEnum": "loyalty.enums.Channel",
        "PurposeEnum": "customers.enums.Purpose",
        "LinkPurposeEnum": "customers.enums.LinkPurpose",
    },
    "PREPROCESSING_HOOKS": ["loyalty.api.own_device.add_to_document"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "core.api.schema.add_problems",
    ],
}

# Loyalty: defaults that the platform's administrator may change per merchant, and secrets.
LOYALTY_DEFAULT_COOLDOWN_MINUTES = read.number("LOYALTY_DEFAULT_COOLDOWN_MINUTES", 15, maximum=10080)
LOYALTY_MAX_DAILY_STAMPS = read.number("LOYALTY_MAX_DAILY_STAMPS", 5, maximum=1000)
LOYALTY_PIN_MAX_FAILED_ATTEMPTS = read.number("LOYALTY_PIN_MAX_FAILED_ATTEMPTS", 5, minimum=1, maximum=100)
LOYALTY_PIN_LOCKOUT_MINUTES = read.number("LOYALTY_PIN_LOCKOUT_MINUTES", 30, minimum=1, maximum=1440)
LOYALTY_DEFAULT_POINTS_PER_EURO = read.fraction("LOYALTY_DEFAULT_POINTS_PER_EURO", "10")
LOYALTY_THROTTLE_SCALE = read.number("LOYALTY_THROTTLE_SCALE", 1, minimum=1, maximum=1_000_000)
# The newest first: it makes new values, the others only read old ones.
LOYALTY_PIN_PEPPERS = read.secrets("LOYALTY_PIN_PEPPERS", "it is mixed into the hashes of staff PINs")
LOYALTY_DATA_KEYS = read.fernet_keys("LOYALTY_DATA_KEYS", "it encrypts tokens that are stored")

# Wallets: without these the card lives as a web card.
LOYALTY_GOOGLE_ISSUER_ID = read.text("LOYALTY_GOOGLE_ISSUER_ID")
LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON = read.text("LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON")
LOYALTY_GOOGLE_API_BASE = read.web_address("LOYALTY_GOOGLE_API_BASE", "https://walletobjects.googleapis.com")
LOYALTY_GOOGLE_CALLBACK_KEYS_URL = read.web_address(
    "LOYALTY_GOOGLE_CALLBACK_KEYS_URL", "https://pay.google.com/gp/m/issuer/keys"
)
LOYALTY_APPLE_PASS_TYPE_ID = read.text("LOYALTY_APPLE_PASS_TYPE_ID")
LOYALTY_APPLE_TEAM_ID = read.text("LOYALTY_APPLE_TEAM_ID")
LOYALTY_APPLE_WWDR_CERT_PATH = read.text("LOYALTY_APPLE_WWDR_CERT_PATH")
LOYALTY_APPLE_SIGNER_CERT_PATH = read.text("LOYALTY_APPLE_SIGNER_CERT_PATH")
LOYALTY_APPLE_SIGNER_KEY_PATH = read.text("LOYALTY_APPLE_SIGNER_KEY_PATH")
LOYALTY_APPLE_APNS_URL = read.web_address("LOYALTY_APPLE_APNS_URL", "https://api.push.apple.com")
LOYALTY_APPLE_APNS_CA_PATH = read.text("LOYALTY_APPLE_APNS_CA_PATH")
# The companies' own badges, as the operator downloaded them; without them the pages show buttons of ours.
LOYALTY_WALLET_BADGES_DIR = read.text("LOYALTY_WALLET_BADGES_DIR", str(VAR / "badges"))

# Faults go to Sentry where a DSN is set, without anything that people typed or are called.
SENTRY_DSN = read.text("SENTRY_DSN")
if SENTRY_DSN:
    faults.report_to(SENTRY_DSN, environment=read.text("SENTRY_ENVIRONMENT", SITE_HOST), release=read.text("RELEASE"))

LOGGING_CONFIG = None
LOGGING = logging_config(as_json=read.flag("LOG_JSON", default=True))
