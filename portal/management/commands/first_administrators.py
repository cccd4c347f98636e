"""Make the first two administrators, once."""

import socket
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.forms import ValidationError

from audit.log.append import LogUnavailable, Refused, process
from audit.management.away import told
from portal.eligibility.founding import Founder, found
from portal.people.actions import ONE_TIME_HOURS


class Command(BaseCommand):
    """Two people, once. Prints a one-time password for each."""

    help = "Make the first two administrators. Later ones are proposed and approved in the portal."

    def add_arguments(self, parser: CommandParser) -> None:
        """Name and mail address of each of the two."""
        for which in ("first", "second"):
            parser.add_argument(
                f"--{which}", nargs=2, metavar=("NAME", "MAIL"), required=True, help=f"the {which} of the two"
            )

    @told("Nobody was made.")
    def handle(self, *args: Any, **options: Any) -> None:
        """Found the portal and hand out the passwords; nothing else ever shows them."""
        first, second = (_founder(*options[which]) for which in ("first", "second"))
        try:
            made = found(by=process("first_administrators"), first=first, second=second, host=socket.gethostname())
        except Refused as refusal:
            raise CommandError(refusal.sentence) from refusal
        except LogUnavailable as error:
            raise CommandError("The log cannot be written, so nobody was made.") from error
        for each in made:
            self.stdout.write(f"{each.name} <{each.email}>  one-time password: {each.password}")
        self.stdout.write(f"Each is valid for {ONE_TIME_HOURS} hours and is replaced at the first sign-in.")


def _founder(name: str, mail: str) -> Founder:
    try:
        validate_email(mail)
    except ValidationError as error:
        raise CommandError(f"This is no mail address: {mail}") from error
    if not name.strip():
        raise CommandError("Each of the two has a name.")
    return Founder(name.strip(), mail.strip().lower())
