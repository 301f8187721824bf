"""``python -m tests.usage.windows``: runs a program, given as standard input, in a process that looks like Windows.

What other packages import stays as it is on this system. The package itself is then imported anew, in a process without
the modules and names that Python has on POSIX systems only. This is no Windows: it shows what is missed at once, and
not how sockets behave there.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import signal
import socket
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

MODULES = frozenset({"crypt", "fcntl", "grp", "nis", "posix", "pty", "pwd", "readline", "resource", "spwd", "syslog",
                     "termios", "tty"})  # fmt: skip

NAMES: dict[ModuleType, tuple[str, ...]] = {
    os: ("O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "chown", "fchmod", "fchown", "fork", "forkpty",
         "getegid", "geteuid", "getgid", "getgroups", "getpgid", "getpgrp", "getuid", "killpg", "mkfifo", "pread",
         "pwrite", "register_at_fork", "sched_getaffinity", "sendfile", "setpgid", "setpgrp", "setsid", "sysconf",
         "uname", "wait3", "wait4"),
    signal: ("SIGALRM", "SIGCHLD", "SIGCONT", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGSTOP", "SIGTSTP",
             "SIGUSR1", "SIGUSR2", "alarm", "pthread_sigmask", "setitimer", "sigwait"),
    socket: ("CMSG_LEN", "SO_REUSEPORT"),
}  # fmt: skip
"""What Python does not have on Windows, except for what trio needs here."""


class Missing(MetaPathFinder):
    """Finds none of the modules that Windows lacks."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name in MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


def names_of_modules() -> list[str]:
    """All modules of the package, by import: what they need of other packages is imported by that."""
    package = importlib.import_module("gossip")
    found = [name for _, name, _ in pkgutil.walk_packages(package.__path__, "gossip.") if name != "gossip.__main__"]
    for name in found:
        importlib.import_module(name)
    return ["gossip", *found]


def pretend() -> None:
    """Let this process look like one on Windows, to what is imported from now on."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "gossip" or name in MODULES]:
        del sys.modules[name]
    sys.meta_path.insert(0, Missing())
    for module, names in NAMES.items():
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    sys.platform = "win32"
    os.name = "nt"


if __name__ == "__main__":
    program = sys.stdin.read()
    modules = names_of_modules()
    pretend()
    exec(compile(program, "program", "exec"), {"modules": modules})
