"""The sweep as a task. It may run twice, late or never."""

from celery import shared_task

from portal.reviews.sweep import run_due


@shared_task(name="portal.reviews.sweep")
def sweep() -> int:
    """Put up what is to be reviewed, and remind."""
    return run_due()
