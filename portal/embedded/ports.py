"""Ports on the loopback interface."""

import secrets
import socket

# Below the range from which systems take the ports of outgoing connections, so that a port kept for the next start
# is not taken meanwhile by somebody's connection.
LOWEST, HIGHEST = 20000, 29999


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a port whose last connections linger in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port that was free a moment ago."""
    for _ in range(1000):
        # Of the system's randomness: processes that were seeded alike would choose alike.
        port = LOWEST + secrets.randbelow(HIGHEST - LOWEST + 1)
        if is_free(port):
            return port
    raise OSError(f"no free port was found on 127.0.0.1 between {LOWEST} and {HIGHEST}")


def answers(port: int, host: str = "127.0.0.1") -> bool:
    """Whether something accepts connections there."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False
