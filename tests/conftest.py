"""For all tests: the servers stand before Django's settings are read."""

import django

from tests import servers
from tests.servers import _mail_sink, mail_sink, target

servers.prepare_run()
django.setup()  # pytest-django looked for settings before they were named

__all__ = ["_mail_sink", "mail_sink", "target"]
