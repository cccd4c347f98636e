"""Fuzz each parser that reads what others can write, with atheris, which follows which lines were reached.

python -m tests.fuzz [TARGET ...] [--seconds 60]    a find is kept in tests/fuzz/cases/TARGET, where `make test` runs it from then on
"""

import argparse
import subprocess
import sys
from pathlib import Path

CASES = Path(__file__).parent / "cases"
LEARNT = Path(__file__).parents[2] / "var" / "fuzz"  # what reaches new lines; not kept in the repository
ROOMS = [
    "audit.log",
    "audit.sources",
    "audit.controls",
    "portal.personnel.reading",
    "portal.offline_card",
    "portal.notifications.channels.webhook",
]


def one(name: str, seconds: int) -> int:
    """Fuzz one target, in a process of its own: the library ends it."""
    command = [sys.executable, "-m", "tests.fuzz", "--inside", name, "--seconds", str(seconds)]
    return subprocess.run(command, check=False).returncode


def inside(name: str, seconds: int) -> None:
    """What that process does. Never returns."""
    import atheris  # a wheel for some platforms alone

    if seen := [each for each in sys.modules if each.startswith(("audit.", "portal."))]:
        raise RuntimeError(f"{seen[0]} was imported before it could be watched.")
    with atheris.instrument_imports(include=ROOMS):
        from tests.fuzz.targets import TARGETS
    (LEARNT / name).mkdir(parents=True, exist_ok=True)
    (CASES / name).mkdir(exist_ok=True)
    told = [
        f"-max_total_time={seconds}",
        f"-artifact_prefix={CASES / name}/found-",
        "-max_len=4096",
        "-verbosity=1",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *told, str(LEARNT / name), str(CASES / name)], TARGETS[name])
    atheris.Fuzz()


def main() -> int:
    """Every target in turn, or those that are named; the exit status is 1 where something was found.

    The names are those of the folders of cases: whoever imports a parser before the library can watch it sees none of its lines.
    """
    names = sorted(folder.name for folder in CASES.iterdir())
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("targets", nargs="*", choices=[[], *names], metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--inside", choices=names, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.inside:
        inside(asked.inside, asked.seconds)
    found = {name: one(name, asked.seconds) for name in asked.targets or names}
    for name, status in found.items():
        print(f"{name}: {'nothing found' if status == 0 else 'FOUND, see tests/fuzz/cases'}")  # noqa: T201 - the result
    return int(any(found.values()))


if __name__ == "__main__":
    sys.exit(main())
