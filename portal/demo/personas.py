"""The demo's people. Invented; their passwords and codes are shown on the demo's page and are worth nothing."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Persona:
    """One of them: key, name, what they do here, and what to try as them. ``sponsor`` answers for who works for another company."""

    key: str
    name: str
    does: str
    try_this: str = ""
    sponsor: str = ""

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
        "Responder: shop, billing, warehouse, payroll",
        "Ask for access to the shop database, or break the glass.",
    ),
    Persona("ines", "Ines Duarte", "Approver", "Approve Ann's request from the alert."),
    Persona("jon", "Jon Eklund", "Approver", "Be the second approver, or give more time."),
    Persona("kim", "Kim Adler", "Reviewer", "Judge a use with what was really done."),
    Persona("lea", "Lea Novak", "Reviewer", "Take a review over."),
    Persona("mo", "Mo Haddad", "Owner of the systems", "Attest who may ask for access, end any access, stop a system."),
    Persona("nora", "Nora Lindt", "Owner, second", "Attest what concerns Mo, help lift what Mo stopped."),
    Persona(
        "rosa",
        "Rosa Conti",
        "Auditor",
        "Read every case, follow an entry to its proof, make an evidence pack.",
    ),
    Persona("pia", "Pia Sommer", "Administrator", "Propose a policy or a role."),
    Persona("quinn", "Quinn Ferro", "Administrator, second", "Approve what Pia proposes."),
    Persona("dan", "Dan Okafor", "Responder: payments, network", "See that only his systems are offered."),
    Persona(
        "ben",
        "Ben Halvorsen",
        "Responder: single sign-on, AWS, Kubernetes",
        "Ask for the sealed account, and wait for the second person.",
    ),
    Persona(
        "otto",
        "Otto Brandt",
        "Custodian of sealed accounts",
        "Release its secret to Ben; give it a new one afterwards.",
    ),
    Persona("emil", "Emil Vogt", "Responder: mail gateway, wiki", "Look at what became of his bypass."),
    Persona("cleo", "Cleo Marsh", "Responder: patient records", "See how a look at four charts was judged."),
    Persona(
        "vera",
        "Vera Lang",
        "Responder of another company, Arrayworks: storage array",
        "See that an attestation took her off the list, and who put her on it anew.",
        sponsor="mo",
    ),
)
COLLEAGUES = (
    Persona("hana", "Hana Weiss", "Manages them, and approves their changes"),
    Persona("tom", "Tom Ruiz", "Approved for AWS until he left"),
    Persona("ulla", "Ulla Sand", "On the list of the cluster; moved to another unit"),
)
"""People of the demo who do not sign in."""
BY_KEY = {persona.key: persona for persona in PERSONAS}
