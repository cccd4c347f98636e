"""`python -m portal.embedded demo|reset|psql|packages`: what `make` calls."""

import argparse
import os
import sys
from pathlib import Path

from portal.embedded import demo, state, system_packages
from portal.embedded.demo import Busy
from portal.embedded.processes import CouldNotStart
from portal.embedded.programs import NoPrograms, pg_bin_dir


def main(arguments: list[str]) -> int:
    # psql reads its own options.
    if arguments[:1] == ["psql"]:
        return psql(arguments[1:])
    parser = argparse.ArgumentParser(prog="portal.embedded")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo").add_argument("--port", type=int, default=8000)
    commands.add_parser("reset")
    commands.add_parser("packages").add_argument("sets", nargs="+", choices=system_packages.SETS)
    given = parser.parse_args(arguments)
    folder: Path = state.default_folder()
    if given.command == "demo":
        demo.end_with_caller()
        return demo.run(given.port, folder, demo.everything)
    if given.command == "reset":
        demo.reset(folder)
    else:
        system_packages.supply(given.sets, demo.say)
    return 0


def psql(arguments: list[str]) -> int:
    """Become the psql that came with the server's programs."""
    program = pg_bin_dir() / "psql"
    os.execv(program, [str(program), *arguments])


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (Busy, CouldNotStart, NoPrograms) as error:
        demo.say(str(error))
        sys.exit(1)
