"""A MariaDB server of the tests' own, in a directory that is removed with it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import IO

from tests.servers import free_port, run_as

#: Where Debian's mariadb-server-core puts the server, which no ordinary user's PATH has.
_SERVER = "/usr/sbin/mariadbd"
#: What makes the server's own tables; mariadb-install-db, which would run it, needs a client besides.
_TABLES = tuple(
    Path("/usr/share/mysql") / f"mysql_{name}.sql"
    for name in ("system_tables", "performance_tables", "system_tables_data")
)
_IN_MEMORY = Path("/dev/shm")
_ROOM = 1024**3
_START_SECONDS = 60
#: What comes first, a line each: it makes a superuser without a password.
_AS_INSTALLED = "CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n"
_READY = "ready for connections"
_SETTINGS = {
    "bind-address": "127.0.0.1",
    "innodb-buffer-pool-size": "16M",
    "innodb-log-file-size": "8M",
    "innodb-flush-log-at-trx-commit": "0",
    "performance-schema": "OFF",
    "skip-name-resolve": "ON",
    "default-time-zone": "+03:00",  # so that what relies on the server's zone shows
}


def installed() -> bool:
    """Whether this machine has the server's programs."""
    return Path(_SERVER).is_file() and all(path.is_file() for path in _TABLES)


class Server:
    """One server; its superuser is root, without a password."""

    def __init__(self) -> None:
        roomy = os.access(_IN_MEMORY, os.W_OK) and shutil.disk_usage(_IN_MEMORY).free > _ROOM
        self.directory = Path(tempfile.mkdtemp(prefix="smm-rules-maria-", dir=_IN_MEMORY if roomy else None))
        if os.geteuid() == 0:
            shutil.chown(self.directory, _somebody().pw_uid)
        self._as_user = run_as(_somebody(), "KILL")
        self.port = free_port()
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Make an empty data directory and start; returns once connections are accepted."""
        self._initialise()
        settings = {**_SETTINGS, "port": str(self.port), "socket": str(self.directory / "socket")}
        options = [f"--{name}={value}" for name, value in settings.items()]
        self._process = subprocess.Popen(
            [*self._as_user, _SERVER, "--no-defaults", f"--datadir={self._data}", *options],
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        ready, said = threading.Event(), list[str]()
        threading.Thread(target=_follow, args=(self._process.stderr, said, ready), daemon=True).start()
        if not ready.wait(_START_SECONDS) or not any(_READY in line for line in said):
            raise RuntimeError(f"MariaDB didn't start: {''.join(said)}")

    def _initialise(self) -> None:
        self._data.mkdir()
        if os.geteuid() == 0:
            shutil.chown(self._data, _somebody().pw_uid)
        tables = "\n".join(path.read_text(encoding="utf-8") for path in _TABLES)
        subprocess.run(
            [
                *self._as_user,
                _SERVER,
                "--no-defaults",
                "--bootstrap",
                f"--datadir={self._data}",
            ],
            check=True,
            cwd=self.directory,
            input=f"{_AS_INSTALLED}{tables}",
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def remove(self) -> None:
        """Stop if it runs, and remove its files."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGKILL)
            process.wait(_START_SECONDS)
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self.directory / "data"


def _somebody() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody")


def _follow(stream: IO[str], said: list[str], ready: threading.Event) -> None:
    """Keep what the server says; `ready` once it is up, or has ended without."""
    with stream:
        for line in stream:
            said.append(line)
            if _READY in line:
                ready.set()
    ready.set()
