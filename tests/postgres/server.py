"""A PostgreSQL server of the tests' own, in a directory that is removed with it.

It keeps its promises (`fsync` is on): its files lie in memory where that is possible, so this costs nothing.
Its texts sort as English does, not by their bytes, so that what relies on the order of bytes shows.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

from tests.servers import free_port, run_as

#: Where Debian puts the server's programs, newest first, and then whatever the PATH has.
_PLACES = (*(Path(f"/usr/lib/postgresql/{version}/bin") for version in (17, 16, 15)),)
#: The database's superuser, and the user that Debian's package makes: the server refuses to run as root.
_USER = "postgres"
_IN_MEMORY = Path("/dev/shm")
#: Bytes that must be free there: a container may have little.
_ROOM = 1024**3
_START_SECONDS = 60
#: Its directory's name goes on with the process that started it.
_PREFIX = "smm-rules-pg-"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "log_min_messages": "warning",
    "log_line_prefix": "%p ",
    "lc_messages": "C",
}
_READY = "database system is ready to accept connections"


def binaries() -> Path | None:
    """The directory of the server's programs; None where there is no PostgreSQL on this machine."""
    for place in _PLACES:
        if (place / "postgres").is_file():
            return place
    found = shutil.which("postgres")
    return None if found is None else Path(found).resolve().parent


class Server:
    """One server. It may be stopped, killed and started again; its port and its files stay the same."""

    def __init__(self, programs: Path, home: Path | None = None) -> None:
        """Its files are made in memory, where that is possible, or in a directory of `home`."""
        self._programs = programs
        self._as_user = run_as(_somebody(), "QUIT")
        if home is None and os.access(_IN_MEMORY, os.W_OK):
            home = _IN_MEMORY if shutil.disk_usage(_IN_MEMORY).free > _ROOM else None
        place = Path(home or tempfile.gettempdir())
        _remove_left_behind(place)
        self.directory = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=place))
        if self._as_user:
            shutil.chown(self.directory, _somebody().pw_uid)
        self.port = free_port()
        self._process: subprocess.Popen[str] | None = None
        self._initialise()

    @property
    def process(self) -> int:
        """The number of the postmaster's process."""
        assert self._process is not None, "the server isn't running"
        return self._process.pid

    @property
    def log(self) -> Path:
        """What the server said so far."""
        return self.directory / "log"

    def url(self, database: str = "postgres") -> str:
        """How to reach a database of this server as its superuser, without a password."""
        return f"postgresql://{_USER}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start, or start again with the same files; returns once connections are accepted."""
        settings = {**_SETTINGS, "port": str(self.port), "unix_socket_directories": str(self.directory)}
        options = [f"--{name}={value}" for name, value in settings.items()]
        self._process = subprocess.Popen(
            [*self._as_user, str(self._programs / "postgres"), "-D", str(self._data), *options],
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        self._wait_until_ready(self._process.stderr)

    def stop(self) -> None:
        """Shut down in order: sessions are ended, everything is written."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Die at once, as by a loss of power; the next start recovers from the log."""
        self._end(signal.SIGQUIT)

    def run(self, program: str, *arguments: str) -> None:
        """Run one of the server's programs in the server's directory."""
        command = [*self._as_user, str(self._programs / program), *arguments]
        subprocess.run(command, check=True, cwd=self.directory)

    def remove(self) -> None:
        """Stop if it runs, and remove its files."""
        if self._process is not None:
            self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    def _initialise(self) -> None:
        subprocess.run(
            [
                *self._as_user,
                str(self._programs / "initdb"),
                f"--pgdata={self._data}",
                f"--username={_USER}",
                "--auth=trust",
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--locale-provider=icu",
                "--icu-locale=en",
            ],
            check=True,
            cwd=self.directory,
            stdout=subprocess.DEVNULL,
        )

    def _wait_until_ready(self, stream: IO[str]) -> None:
        ready = threading.Event()
        threading.Thread(target=_follow, args=(stream, self.log, ready), daemon=True).start()
        if not ready.wait(_START_SECONDS) or self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"PostgreSQL didn't start: {self.log.read_text(encoding='utf-8')}")

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait(_START_SECONDS)


def _remove_left_behind(place: Path) -> None:
    """Remove the files of servers whose tests were killed: the server ended with them, its files didn't."""
    for directory in place.glob(f"{_PREFIX}*-*"):
        owner = directory.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdecimal() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(directory, ignore_errors=True)


def _somebody() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(_USER)
    except KeyError:  # a server that no package of Debian's brought
        return pwd.getpwnam("nobody")


def _follow(stream: IO[str], log: Path, ready: threading.Event) -> None:
    """Copy what the server says to its log; `ready` once it is up, or has ended without."""
    try:
        with stream, log.open("a", encoding="utf-8") as file:
            _copy(stream, file.write, file.flush, ready)
    except OSError:
        pass  # the directory was removed meanwhile
    finally:
        ready.set()


def _copy(
    stream: IO[str], write: Callable[[str], object], flush: Callable[[], None], ready: threading.Event
) -> None:
    for line in stream:
        write(line)
        flush()
        if _READY in line:
            ready.set()
