"""Packs and dossiers that somebody may see."""

from uuid import UUID

from django.db.models import QuerySet

from audit.log.read import named, of_subject
from audit.log.viewing import Viewer
from audit.packs.models import Dossier, Pack
from audit.packs.rules import systems_of


def packs_of(viewer: Viewer) -> QuerySet[Pack]:
    """Packs of which the viewer audits every system, newest first."""
    return Pack.objects.filter(systems__contained_by=sorted(systems_of(viewer))).order_by("-asked_at", "pk")


def pack_of(viewer: Viewer, pk: UUID) -> Pack | None:
    """One of them."""
    return packs_of(viewer).filter(pk=pk).first()


def pack_for_act(pk: UUID) -> Pack | None:
    """For acts only: the act itself says who may, so that an outsider's try is refused and on record."""
    return Pack.objects.filter(pk=pk).first()


def system_names() -> dict[str, str]:
    """Names of all systems, as the log last said."""
    described = named(("system.registered", "system.changed"))
    return {event.fields["system_id"]: event.fields["name"] for event in described}


def purpose_of(pack: Pack) -> str:
    """What a pack is for, in the words of who asked; erased ones are said to be."""
    asked = of_subject(pack.log_subject, ("pack.requested",), 1)
    return asked[0].says("purpose") if asked else ""


def dossiers_of(case: UUID) -> list[Dossier]:
    """Dossiers of a case that are made, newest first."""
    return list(Dossier.objects.filter(case=case, made_at__isnull=False).order_by("-made_at"))


def made_dossier(pk: UUID) -> Dossier | None:
    """A dossier that is made."""
    return Dossier.objects.filter(pk=pk, made_at__isnull=False).first()
