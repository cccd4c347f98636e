"""Alarms that must get out even when database, broker and workers are down: a log file and a mail.

At most one mail a minute for each text.
"""

import logging
import smtplib
import threading
import time
from email.message import EmailMessage

from django.conf import settings


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
    message = EmailMessage()
    message["Subject"] = f"[{settings.PORTAL_NAME}] alarm"
    message["From"] = settings.DEFAULT_FROM_EMAIL
    message["To"] = ", ".join(settings.PORTAL_SECURITY_LIST)
    message.set_content(line)
    try:
        with smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT, timeout=5) as server:
            server.send_message(message)
    except OSError:
        logging.getLogger("breakglass.web").warning("an alarm could not be mailed; it stands in alarms.log")
