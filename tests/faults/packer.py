"""A program that makes packs, each in a child that a tracer can take hold of. The PDF itself is drawn once: its processes are struck in test_pdf_struck.py.

It reads the id of a pack, says ``child PID``, and the child waits for a line; then it says ``ended STATUS``.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import django


def main(prepared: Path) -> None:
    """Serve until there is nothing more to read."""
    from django.db import connections

    make = _warm(prepared)
    say("ready")
    for line in iter(sys.stdin.readline, ""):
        connections.close_all()
        child = os.fork()
        if not child:
            say(f"child {os.getpid()}")
            sys.stdin.readline()
            make(UUID(line.strip()))
            os._exit(0)
        say(f"ended {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}")


def _warm(prepared: Path) -> Callable[[UUID], bool]:
    """What every child needs is loaded and gathered before, so that it has few file calls and all of them are a pack's own."""
    from audit.packs import jobs, render
    from audit.packs.evidence import gathered
    from audit.packs.models import Pack
    from audit.packs.position import newest
    from audit.packs.signing import sign, signing_key

    page, about = (
        "<html><body><p>A pack</p></body></html>",
        render.Metadata("A", "B", "C", 1_790_000_000_000, "ab" * 32),
    )
    pdf, key = render.render_pdf(page, [], about), signing_key()
    assert key is not None
    sign(pdf, key)
    (prepared / "out.pdf").write_bytes(pdf)
    (prepared / "pages").write_text("1")
    evidence = gathered(jobs.scope_of(Pack.objects.earliest("asked_at")), newest(), lambda *_: None)

    def drawn_before(step: str, folder: Path, limits: object) -> None:
        if step == "enclose":
            subprocess.run(["cp", prepared / "out.pdf", prepared / "pages", folder], check=True)

    vars(jobs)["gathered"] = lambda *_: evidence
    render._run = drawn_before
    return jobs.make


def say(word: str) -> None:
    """To whoever started us."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    place = Path(sys.argv[1])
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    main(place)
