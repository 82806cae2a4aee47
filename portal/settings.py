"""All settings of the portal, grouped by what reads them. .env.example lists every variable."""

from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import environ
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.conf import global_settings
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy
from whitenoise.compress import Compressor

from portal.logs import log_config
from portal.staff.admin_menu import UNFOLD as UNFOLD

BASE_DIR = Path(__file__).resolve().parent.parent

# A variable without a default here must be set; else the start fails and names it.
env = environ.Env(
    ALLOWED_HOSTS=(list, ["localhost", "127.0.0.1"]),
    CLINIC_NAME=(str, "Clinic"),
    CSRF_TRUSTED_ORIGINS=(list, []),
    DATE_ORDER=(str, ""),
    DEBUG=(bool, False),
    DEFAULT_COUNTRY=(str, "US"),
    EVENTS_INCLUDE_CONTACT=(bool, True),
    IMPORT_MAX_BYTES=(int, 200 * 1024 * 1024),
    KAFKA_API_VERSION=(str, ""),
    KAFKA_TOPIC_DEAD_LETTER=(str, "patient.dead-letter"),
    KAFKA_TOPIC_PATIENT=(str, "patient"),
    KAFKA_WINDOW_BYTES=(int, 0),
    KAFKA_WINDOW_GROUP=(str, "analytics"),
    LOG_LEVEL=(str, "INFO"),
    PORTAL_INTERNAL_PORT=(int, 4003),
    SECURE_COOKIES=(bool, False),
    STATIC_ROOT=(str, ""),
    TIME_ZONE=(str, "UTC"),
    TRUSTED_PROXIES=(list, []),
)

# --- The web server -------------------------------------------------------------------------------
SECRET_KEY = env("SECRET_KEY")
DEBUG = env("DEBUG")
ALLOWED_HOSTS = env("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = env("CSRF_TRUSTED_ORIGINS")
# Only these may say in X-Forwarded-* whom they speak for, see portal.proxies.
try:
    TRUSTED_PROXIES = [ip_network(text.strip()) for text in env("TRUSTED_PROXIES")]
except ValueError as error:
    raise ImproperlyConfigured(
        f"TRUSTED_PROXIES has addresses or networks such as 10.0.0.0/8: {error}"
    ) from None
INTERNAL_PORT = env("PORTAL_INTERNAL_PORT")
DATA_DIR = Path(env("PORTAL_DATA_DIR"))

CSRF_FAILURE_VIEW = "portal.problems.csrf_failed"
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
APPEND_SLASH = False  # Addresses of the API end without a slash, those of pages with one.

INSTALLED_APPS = [
    "portal.staff",  # Before the admin's theme, because it replaces some of its templates.
    "unfold.apps.BasicAppConfig",
    "portal.staff.admin_app.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "pghistory",
    "pgtrigger",
    "rest_framework",
    "template_partials",
    "portal.accounts",
    "portal.patients",
    "portal.duplicates",
    "portal.billing",
    "portal.events",
    "portal.imports",
    "portal.analytics",
    "portal.audit",
    "portal.reconciliation",
    "portal.schedule",
]

MIDDLEWARE = [
    "portal.proxies.TrustedProxies",
    "portal.middleware.RequestContext",
    "portal.middleware.NoStore",
    "django.middleware.common.CommonMiddleware",
    "portal.accounts.polling.Polls",
    "portal.browser_middleware.BrowserMiddleware",
    "portal.patients.audit.AuditContext",
    "portal.problems.PortalErrors",
]
# What requests with a bearer token pass by, see portal.browser_middleware.
BROWSER_MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.middleware.ContentPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "portal.accounts.signed_in.SignedIn",
    "portal.accounts.sessions.SessionRenewal",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]
# Checks that look for middleware of browsers in the first list.
SILENCED_SYSTEM_CHECKS = ["admin.E408", "admin.E409", "admin.E410", "axes.W002"]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.staff.context.layout",
            ],
        },
    },
]

FORM_RENDERER = "portal.staff.renderer.StaffRenderer"
# A cookie would carry names of patients.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# --- Stores ---------------------------------------------------------------------------------------
DATABASES = {
    "default": {
        **env.db("DATABASE_URL"),
        "ENGINE": "portal.database",
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }
}
# Seconds, and milliseconds in the last: a silent connection is given up within half a minute.
DATABASES["default"].setdefault("OPTIONS", {}).update(
    connect_timeout=5,
    keepalives_idle=10,
    keepalives_interval=5,
    keepalives_count=3,
    tcp_user_timeout=20_000,
)
# In the memory of each process; see portal.cache.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "/static/"
# Collected files are compressed, and named by their content, so that browsers keep them. Without a
# folder for them the sources are served.
STATIC_ROOT = BASE_DIR / env("STATIC_ROOT") if env("STATIC_ROOT") else None
WHITENOISE_USE_FINDERS = STATIC_ROOT is None
if STATIC_ROOT:
    WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")
    STORAGES = {
        **global_settings.STORAGES,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
WHITENOISE_AUTOREFRESH = DEBUG

# --- Users and sessions ---------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    "portal.accounts.password_hashing.BoundedArgon2Hasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = reverse_lazy("accounts:sign-in")
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = LOGIN_URL

AXES_FAILURE_LIMIT = 8  # Wrong passwords until a lockout.
AXES_COOLOFF_TIME = timedelta(minutes=10)
# Typing errors at one desk lock out neither the other desks nor the account.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_CALLABLE = "portal.accounts.lockouts.tried_email"
AXES_CLIENT_IP_CALLABLE = "portal.accounts.lockouts.client_of"
AXES_LOCKOUT_CALLABLE = "portal.accounts.lockouts.refuse_sign_in"
AXES_SENSITIVE_PARAMETERS = ["email", "password", "username"]
AXES_VERBOSE = False  # Its log lines would name the user.

SESSION_ENGINE = "portal.accounts.session_store"
SESSION_COOKIE_AGE = 30 * 60  # Seconds from the last action, see portal.accounts.sessions.
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env("SECURE_COOKIES")
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
# The admin's theme and the API's pages need inline parts; the staff's pages get none.
CSP_RELAXED = {"script-src": [SELF, UNSAFE_INLINE, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}

# --- REST -----------------------------------------------------------------------------------------
JWT_SIGNING_KEY = env("JWT_SIGNING_KEY")
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "portal.accounts.tokens.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["portal.accounts.rules.NoRule"],
    "DEFAULT_PARSER_CLASSES": ["portal.json_bodies.BoundedJSONParser"],
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "rest_framework.renderers.BrowsableAPIRenderer",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "portal.negotiation.Negotiation",
    "EXCEPTION_HANDLER": "portal.problems.handle_api_error",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SIMPLE_JWT = {
    "SIGNING_KEY": JWT_SIGNING_KEY,
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "UPDATE_LAST_LOGIN": False,
    "CHECK_REVOKE_TOKEN": True,  # A changed password ends the tokens made before it.
}
REFRESH_TOKEN_LIFETIME = timedelta(days=7)
SPECTACULAR_SETTINGS = {
    "TITLE": "Patient Portal",
    "DESCRIPTION": (
        "Register, find and correct patients. Errors are `application/problem+json` (RFC 9457)."
    ),
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "portal.api_docs.declare_problems",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {},
}

# --- Neighbours -----------------------------------------------------------------------------------
KAFKA_BOOTSTRAP_SERVERS = env.list("KAFKA_BOOTSTRAP_SERVERS")
KAFKA_API_VERSION = tuple(int(part) for part in env("KAFKA_API_VERSION").split(".") if part) or None
KAFKA_TOPIC_PATIENT = env("KAFKA_TOPIC_PATIENT")
KAFKA_TOPIC_DEAD_LETTER = env("KAFKA_TOPIC_DEAD_LETTER")
KAFKA_WINDOW_BYTES = env("KAFKA_WINDOW_BYTES")
KAFKA_WINDOW_GROUP = env("KAFKA_WINDOW_GROUP")
if 0 < KAFKA_WINDOW_BYTES < 2_000_000:  # The largest message, 1 MiB, has to fit beside others.
    raise ImproperlyConfigured("KAFKA_WINDOW_BYTES is 0 (no pacing) or 2000000 at least.")
EVENTS_INCLUDE_CONTACT = env("EVENTS_INCLUDE_CONTACT")
BILLING_GRPC_ADDRESS = env("BILLING_GRPC_ADDRESS")
ANALYTICS_URL = env("ANALYTICS_URL")

# --- The worker -----------------------------------------------------------------------------------
CELERY_BROKER_URL = env("CELERY_BROKER_URL")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 2,
    "socket_timeout": 10,
    "visibility_timeout": 3600,
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_PUBLISH_RETRY = False  # The worker looks for jobs whose nudge was lost.
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = env("TIME_ZONE")  # Whose nights the nightly tasks mean.
IMPORT_MAX_BYTES = env("IMPORT_MAX_BYTES")
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# --- Names, dates and times -----------------------------------------------------------------------
CLINIC_NAME = env("CLINIC_NAME")
DEFAULT_COUNTRY = env("DEFAULT_COUNTRY")
# Where people write the month before the day (Unicode CLDR).
MONTH_FIRST_COUNTRIES = {"AS", "FM", "GU", "MH", "MP", "PH", "PR", "PW", "UM", "US", "VI"}
DATE_ORDER = env("DATE_ORDER") or ("MDY" if DEFAULT_COUNTRY in MONTH_FIRST_COUNTRIES else "DMY")
if DATE_ORDER not in {"DMY", "MDY"}:
    raise ImproperlyConfigured("DATE_ORDER is DMY (day first) or MDY (month first).")
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]  # The admin's theme looks through all of them on each page.
TIME_ZONE = env("TIME_ZONE")
USE_I18N = False
USE_TZ = True
FORMAT_MODULE_PATH = "portal.formats"

# --- Logs: JSON lines without personal data -------------------------------------------------------
LOGGING_CONFIG = None
log_config(env("LOG_LEVEL"))
