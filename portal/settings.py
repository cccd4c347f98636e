"""Settings, all from the environment. ``docs/operate.md`` lists them; ``manage.py check --deploy`` names each missing or weak one."""

from pathlib import Path
from typing import Any

from portal.environment import database, flag, number, retention, text, words

BASE_DIR = Path(__file__).resolve().parent.parent

# --- what kind of instance this is
PORTAL_DEMO = flag("PORTAL_DEMO")
PORTAL_TESTING = flag("PORTAL_TESTING")
PORTAL_PRODUCTION = not (PORTAL_DEMO or PORTAL_TESTING)
DEBUG = False
PORTAL_DATA = Path(text("PORTAL_DATA", str(BASE_DIR / "var")))
PORTAL_NAME = text("PORTAL_NAME", "Breakglass Portal")
PORTAL_URL = text("PORTAL_URL", "http://localhost:8000").rstrip("/")

# --- secrets and keys
SECRET_KEY = text("PORTAL_SECRET_KEY", "" if PORTAL_PRODUCTION else "only-for-the-demo-and-for-tests-" + "x" * 30)
PORTAL_SECRETS_KEY = text(
    "PORTAL_SECRETS_KEY", "" if PORTAL_PRODUCTION else "b25seS1mb3ItdGhlLWRlbW8tYW5kLXRlc3RzLW5vdyE="
)
PORTAL_LOG_PUBLIC_KEY = text("PORTAL_LOG_PUBLIC_KEY", "")
PORTAL_LOG_STORE = text("PORTAL_LOG_STORE", "")
PORTAL_RETENTION = retention("PORTAL_RETENTION")  # days by class; only longer than the duty: "entries=3650 signins=800"
PORTAL_LOG_WITNESSES = text("PORTAL_LOG_WITNESSES", "")
PORTAL_TIMESTAMP_URL = text("PORTAL_TIMESTAMP_URL", "")  # of an authority (RFC 3161)
PORTAL_TIMESTAMP_ROOTS = text("PORTAL_TIMESTAMP_ROOTS", "")  # a file with the certificates that are trusted, in PEM
PORTAL_LOG_ORIGIN = text("PORTAL_LOG_ORIGIN", "breakglass.example/log")
PORTAL_BACKUP_TO = text("PORTAL_BACKUP_TO", "")
PORTAL_BACKUP_KEY_FILE = text("PORTAL_BACKUP_KEY_FILE", "")
PORTAL_BACKUP_PUBLIC_KEY = text("PORTAL_BACKUP_PUBLIC_KEY", "")
PORTAL_BACKUP_RECIPIENT = text("PORTAL_BACKUP_RECIPIENT", "")  # of age; the secret half lies elsewhere
PORTAL_BACKUP_MINUTES = number("PORTAL_BACKUP_MINUTES", 60)
PORTAL_BACKUP_KEEP_DAYS = number("PORTAL_BACKUP_KEEP_DAYS", 7)
PORTAL_BACKUP_ERASURE_DAYS = number("PORTAL_BACKUP_ERASURE_DAYS", 30)  # the catalogue's erasure_days
PORTAL_REHEARSAL_DAYS = number("PORTAL_REHEARSAL_DAYS", 30)
PORTAL_REHEARSAL_DATABASE_URL = text("PORTAL_REHEARSAL_DATABASE_URL", "")  # of a role that may make databases
PORTAL_REHEARSAL_IDENTITY_FILE = text("PORTAL_REHEARSAL_IDENTITY_FILE", "")  # of age: one of the recipients of backups
AUDIT_CUT_AGAIN_BY = "portal.erasing.cutting_again.resume"  # by a recovery of the log
AUDIT_HELD_AGAIN_BY = "portal.erasing.holding_again.resume"  # by both
AUDIT_ERASED_AGAIN_BY = "portal.erasing.replaying.replay"  # by a restore; audit imports nothing of portal
PORTAL_SIGNING_P12 = text("PORTAL_SIGNING_P12_PATH", "")  # the operator's P-256 key and certificate for PDFs
PORTAL_SIGNING_PASSWORD = text("PORTAL_SIGNING_PASSWORD", "")
PORTAL_CATALOGUE_DIRS = words("PORTAL_CATALOGUE_DIRS")  # folders with the operator's own tests and tighter parameters

# --- web
ALLOWED_HOSTS = words("PORTAL_HOSTS", "" if PORTAL_PRODUCTION else "localhost,127.0.0.1,[::1],testserver")
CSRF_TRUSTED_ORIGINS = words("PORTAL_ORIGINS", PORTAL_URL)
CSRF_FAILURE_VIEW = "portal.error_pages.form_without_key"
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
APPEND_SLASH = True
INSTALLED_APPS = [
    "portal.apps.PortalConfig",
    "audit.apps.AuditConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "auditlog",
    "django_htmx",
    "csp",
    *(["portal.demo.apps.DemoConfig"] if PORTAL_DEMO else []),
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.middleware.RefusalsMiddleware",
    "portal.people.middleware.SignInMiddleware",
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.page.context",
            ],
            "libraries": {},
        },
    }
]

# --- people
AUTH_USER_MODEL = "portal.Person"
AUTHENTICATION_BACKENDS = ["portal.people.backend.PasswordBackend", "portal.permissions.RolesBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
if PORTAL_TESTING:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # speed; nothing of a test is worth guarding
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "home"
OTP_TOTP_ISSUER = PORTAL_NAME
OTP_TOTP_THROTTLE_FACTOR = 1
PORTAL_PASSKEY_DOMAIN = text("PORTAL_PASSKEY_DOMAIN", "")  # WebAuthn's RP id; empty: the host of PORTAL_URL
PORTAL_STEP_UP_MINUTES = 15  # the catalogue's step_up_minutes; a policy may ask for less
PORTAL_RESET_COOLING_HOURS = number("PORTAL_RESET_COOLING_HOURS", 24)  # between a reset of a factor and its effect
PORTAL_PASSKEY_COOLING_HOURS = number("PORTAL_PASSKEY_COOLING_HOURS", 24)  # until a first passkey counts in full
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_NAME = "breakglass"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PORTAL_URL.startswith("https://")
CSRF_COOKIE_HTTPONLY = True
SESSION_SERIALIZER = "django.contrib.sessions.serializers.JSONSerializer"

# --- transport and content
if PORTAL_PRODUCTION:
    SECURE_SSL_REDIRECT = flag("PORTAL_SSL_REDIRECT", True)
    SECURE_HSTS_SECONDS = number("PORTAL_HSTS_SECONDS", 31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = flag("PORTAL_HSTS_SUBDOMAINS", True)
    SECURE_HSTS_PRELOAD = flag("PORTAL_HSTS_PRELOAD", True)
    if flag("PORTAL_BEHIND_PROXY"):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000

# --- database: PostgreSQL only
DATABASES = {"default": database(text("DATABASE_URL", "postgresql://localhost/breakglass"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SEALER_DATABASE_URL = text("SEALER_DATABASE_URL", "")
ERASER_DATABASE_URL = text("ERASER_DATABASE_URL", "")

# --- work in the background; Celery is only a hint
REDIS_URL = text("REDIS_URL", "redis://localhost:6379/0")
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_timeout": 2,
    "socket_connect_timeout": 1,
    "max_retries": 1,
}
CELERY_TASK_IGNORE_RESULT = True  # progress and results are kept in the database
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_PUBLISH_RETRY = False  # a broker that is down must not hold up a page

# --- mail
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = text("PORTAL_MAIL_HOST", "localhost")
EMAIL_PORT = number("PORTAL_MAIL_PORT", 25)
EMAIL_HOST_USER = text("PORTAL_MAIL_USER", "")
EMAIL_HOST_PASSWORD = text("PORTAL_MAIL_PASSWORD", "")
EMAIL_USE_TLS = flag("PORTAL_MAIL_TLS", PORTAL_PRODUCTION)
EMAIL_TIMEOUT = 5
DEFAULT_FROM_EMAIL = text("PORTAL_MAIL_FROM", "Breakglass Portal <breakglass@localhost>")
PORTAL_WEBHOOK_NETWORKS = words("PORTAL_WEBHOOK_NETWORKS")  # not public, and may still be reached by webhooks
PORTAL_SECURITY_LIST = words("PORTAL_SECURITY_LIST", "" if PORTAL_PRODUCTION else "security@breakglass.example")

# --- language, time, files
LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATIC_ROOT = PORTAL_DATA / "static"
STATICFILES_DIRS = [BASE_DIR / "portal" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PORTAL_PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not PORTAL_PRODUCTION
WHITENOISE_AUTOREFRESH = False

# --- row changes of configuration (django-auditlog); which models and fields: portal/configuration.py
AUDITLOG_INCLUDE_ALL_MODELS = False
AUDITLOG_DISABLE_REMOTE_ADDR = True
AUDITLOG_STORE_JSON_CHANGES = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line"},
        "alarm": {"class": "portal.notifications.alarm.AlarmHandler", "formatter": "line"},
    },
    "loggers": {
        "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "breakglass": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "breakglass.alarm": {"handlers": ["console", "alarm"], "level": "INFO", "propagate": False},
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
}
