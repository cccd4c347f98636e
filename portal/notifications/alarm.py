"""Alarms that must get out even when database, broker and workers are down: a log file and a mail.

At most one mail a minute for each text.
"""

import logging
import threading
import time

from django.conf import settings
from django.core.mail import EmailMessage

from portal.notifications.channels.base import ChannelDown
from portal.notifications.channels.mail.transport import connected


class AlarmHandler(logging.Handler):
    """Appends to ``alarms.log`` in the data folder and mails the security list in a thread of its own."""

    def __init__(self) -> None:
        """Start with no text mailed."""
        super().__init__(level=logging.ERROR)
        self._mailed: dict[str, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line, then mail it; neither may ever stop the caller."""
        try:
            line = self.format(record)
            settings.PORTAL_DATA.mkdir(parents=True, exist_ok=True)
            with (settings.PORTAL_DATA / "alarms.log").open("a", encoding="utf-8") as file:
                file.write(line + "\n")
            if self._due(str(record.msg)) and settings.PORTAL_SECURITY_LIST:
                threading.Thread(target=_mail, args=(line,), daemon=True).start()
        except Exception:  # noqa: BLE001  an alarm that cannot be written is handled by logging itself
            self.handleError(record)

    def _due(self, text: str) -> bool:
        now = time.monotonic()
        if now - self._mailed.get(text, float("-inf")) < 60:
            return False
        self._mailed[text] = now
        return True


def _mail(line: str) -> None:
    """Over the same connection as every other mail: what demands TLS and a login gets them, and nothing leaves without."""
    mail = EmailMessage(
        f"[{settings.PORTAL_NAME}] alarm", line, settings.DEFAULT_FROM_EMAIL, settings.PORTAL_SECURITY_LIST,
        headers={"Auto-Submitted": "auto-generated"},
    )  # fmt: skip
    try:
        with connected() as server:
            server.send_messages([mail])
    except (ChannelDown, OSError, ValueError) as error:  # an SMTPException is an OSError, a UnicodeError a ValueError
        logging.getLogger("breakglass.web").warning(
            "an alarm could not be mailed; it stands in alarms.log: %s", type(error.__cause__ or error).__name__
        )
