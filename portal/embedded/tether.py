"""Become another program that ends when the process that started it ends.

Run as a file of its own: `python -I -S tether.py SIGNAL PARENT UID GID PROGRAM ARGUMENT...`. It imports nothing of the
portal, so it starts in some 20 ms. A uid of -1 keeps the account. The account is changed first: the kernel forgets
the wish of prctl(2), PR_SET_PDEATHSIG, when credentials change. The wish follows the *thread* that started this
process, so children are started from a main thread. Elsewhere than on Linux there is no such wish, and the next
start clears what was left (see `processes.leftovers`).
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def end_with_parent(signal_number: int, parent: int) -> None:
    """Ask for `signal_number` when the parent ends; end at once when it has ended already."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) was refused")
    if os.getppid() != parent:
        sys.exit(1)


def main(arguments: list[str]) -> None:
    signal_number, parent, uid, gid = (int(word) for word in arguments[:4])
    command = arguments[4:]
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    end_with_parent(signal_number, parent)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
