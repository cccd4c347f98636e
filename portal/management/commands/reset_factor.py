"""Remove somebody's second factor where nobody is left who could do it in the portal."""

import getpass
import os
import socket
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.log.append import LogUnavailable, Refused, process
from audit.management.away import told
from portal.eligibility.resetting import reset_on_host
from portal.people.queries import person_at


class Command(BaseCommand):
    """For one person, by mail address; as root alone. The log says so, and everybody is alarmed."""

    help = "Remove the second factors of somebody, where everybody is locked out. Needs root, leaves an event and alarms everyone."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose, and why."""
        parser.add_argument("mail", help="the person's mail address")
        parser.add_argument(
            "--reason", required=True, help="what happened, in a sentence; it is logged and mailed to everybody"
        )

    @told("Nothing was reset.")
    def handle(self, *args: Any, **options: Any) -> None:
        """Do it and say what comes next."""
        if os.geteuid() != 0:
            raise CommandError("This needs root: whoever can do it can act as anybody whose password they know.")
        person = person_at(options["mail"])
        if person is None:
            raise CommandError("Nobody with this mail address is on the list.")
        account = os.environ.get("SUDO_USER") or getpass.getuser()
        try:
            reset_on_host(
                by=process("reset_factor"), person=person, reason=options["reason"], host=socket.gethostname(), account=account
            )  # fmt: skip
        except Refused as refusal:
            raise CommandError(refusal.sentence) from refusal
        except LogUnavailable as error:
            raise CommandError("The log cannot be written, so nothing was reset.") from error
        self.stdout.write(f"{person.name} <{person.email}> has no second factor now, and is signed in nowhere.")
        self.stdout.write("At the next sign-in the password is enough to enrol a new one. Everybody is being told.")
