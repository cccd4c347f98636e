"""Make a one-time password where no second administrator is left who could help."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.views.decorators.debug import sensitive_variables

from audit.log.append import LogUnavailable, Refused, process
from audit.management.away import told
from portal.eligibility.one_time import give_one_time_password
from portal.people.actions import ONE_TIME_HOURS
from portal.people.queries import person_at


class Command(BaseCommand):
    """For one person, by mail address. The log says so, and the person and all administrators are told."""

    help = "Make a one-time password for somebody who is on the list of people, where the portal's own page refuses to."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose."""
        parser.add_argument("mail", help="the person's mail address")

    @told("No password was made.")
    @sensitive_variables("password")
    def handle(self, *args: Any, **options: Any) -> None:
        """Print it; nothing else ever shows it."""
        person = person_at(options["mail"])
        if person is None:
            raise CommandError("Nobody with this mail address is on the list.")
        try:
            password = give_one_time_password(by=process("one_time_password"), person=person)
        except Refused as refusal:
            raise CommandError(refusal.sentence) from refusal
        except LogUnavailable as error:
            raise CommandError("The log cannot be written, so no password was made.") from error
        self.stdout.write(f"{person.name} <{person.email}>  one-time password: {password}")
        self.stdout.write(f"It is valid for {ONE_TIME_HOURS} hours and is replaced at the first sign-in.")
