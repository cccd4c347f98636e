"""The worker and beat. Celery is only a hint: whatever it does is due in the database and done by a sweep as well."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(
    ["portal.grants", "portal.access_requests", "portal.notifications", "portal.reviews", "portal.campaigns",
     "portal.reconciliation", "audit.completeness", "audit.packs", "portal"]
)  # fmt: skip
