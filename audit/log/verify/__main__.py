"""Begins the command. Written for any Python 3, so that one that is too old says so: status 1 is kept for damage."""

import sys
import traceback

NEEDED = (3, 11)
NOT_CHECKED = 2


def main(arguments: "list[str] | None" = None) -> int:
    """Run the command; whatever stops it is no damage of the log."""
    if sys.version_info < NEEDED:
        words = "The log could not be checked. The verifier needs Python %d.%d or later, and this is %d.%d.\n"
        sys.stderr.write(words % (NEEDED + tuple(sys.version_info[:2])))
        return NOT_CHECKED
    try:
        from audit.log.verify.command import main as run  # noqa: PLC0415 - an older Python cannot read what it imports

        status = run(arguments)
        sys.stdout.flush()
        return status
    except Exception:  # noqa: BLE001 - a fault of ours is no damage of the log
        traceback.print_exc()
        return NOT_CHECKED


def begin() -> None:
    """End with the status of `main`."""
    status = main()
    if status == NOT_CHECKED:
        sys.stdout = None  # what could not be written would be tried again, and end with another status
    sys.exit(status)


if __name__ == "__main__":
    begin()
