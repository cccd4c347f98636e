"""The demo's people. Invented; their passwords and codes are shown on the demo's page and are worth nothing."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Persona:
    """One of them: key, name, what they do here, and what to try as them."""

    key: str
    name: str
    does: str
    try_this: str

    @property
    def email(self) -> str:
        """Their address; mails to it land in the demo's mail sink."""
        return f"{self.key}@breakglass.example"

    @property
    def password(self) -> str:
        """Known to everybody on purpose."""
        return f"{self.key}-breaks-the-glass"


PERSONAS = (
    Persona(
        "ann",
        "Ann Berg",
        "Responder: shop, billing, warehouse",
        "Ask for access to the shop database, or break the glass.",
    ),
    Persona("ines", "Ines Duarte", "Approver", "Approve Ann's request from the alert."),
    Persona("jon", "Jon Eklund", "Approver", "Be the second approver, or give more time."),
    Persona("kim", "Kim Adler", "Reviewer", "Judge a use with what was really done."),
    Persona("lea", "Lea Novak", "Reviewer", "Take a review over."),
    Persona(
        "mo", "Mo Haddad", "Owner of the systems", "Attest who may break the glass, end any access, stop a system."
    ),
    Persona("nora", "Nora Lindt", "Owner, second", "Attest what concerns Mo, help lift what Mo stopped."),
    Persona("rosa", "Rosa Conti", "Auditor", "Read every case, check the log, make an evidence pack."),
    Persona("pia", "Pia Sommer", "Administrator", "Propose a policy or a role."),
    Persona("quinn", "Quinn Ferro", "Administrator, second", "Approve what Pia proposes."),
    Persona("dan", "Dan Okafor", "Responder: payments", "See that only his systems are offered."),
    Persona(
        "ben",
        "Ben Halvorsen",
        "Responder: single sign-on",
        "Ask for the sealed account, and wait for the second person.",
    ),
    Persona(
        "otto",
        "Otto Brandt",
        "Custodian of sealed accounts",
        "Release its secret to Ben; give it a new one afterwards.",
    ),
    Persona("emil", "Emil Vogt", "Responder: mail gateway", "Look at what became of his bypass."),
)
BY_KEY = {persona.key: persona for persona in PERSONAS}
