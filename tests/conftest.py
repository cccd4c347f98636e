"""For all tests: the servers stand before Django's settings are read."""

from tests import servers
from tests.servers import _mail_sink, mail_sink, target

servers.prepare_run()

__all__ = ["_mail_sink", "mail_sink", "target"]
