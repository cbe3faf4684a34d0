"""What a database server of the tests' own needs of this machine."""

from __future__ import annotations

import os
import pwd
import shutil
import socket


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def run_as(user: pwd.struct_passwd, end: str) -> list[str]:
    """What goes before a server's command so that it isn't root, and ends by the signal `end` with us."""
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0:
        return [setpriv, "--pdeathsig", end] if setpriv else []
    assert setpriv, "running as root needs setpriv (util-linux) to start a server as another user"
    return [
        setpriv, "--reuid", user.pw_name, "--regid", str(user.pw_gid), "--clear-groups", "--pdeathsig", end,
    ]  # fmt: skip
