"""The parts that recovery procedures share: archive, stop, clear up, start."""

from __future__ import annotations

import contextlib
import os.path
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from healthchecks.pocket_agent.commands import Command
from healthchecks.pocket_agent.message_folders import project_tree
from healthchecks.pocket_agent.probes_process import Execution
from healthchecks.pocket_agent.search import Search
from healthchecks.pocket_agent.system import PocketAgent
from plugins import Absent, Blocked, CannotTell, NoPermission, NotThere
from plugins.endpoints.filesystem import Entry, Filesystem
from plugins.endpoints.processes import Process, Processes
from plugins.endpoints.systemd import Systemd
from plugins.eyes import reading
from plugins.hosts import Host
from plugins.steps import Archive, Launch, Mkdir, PutAway, Run, Stop


def archived(
    system: PocketAgent, filesystem: Filesystem, commands: Host, *more: str
) -> Iterator[Mkdir | Archive]:
    """Archive the data folder, and of configuration, certificate and key what lies outside it.

    Args:
        system: whose things they are.
        filesystem: tells what is there.
        commands: tells the time.
        more: further files.
    """
    folder = system.settings.path(system.settings.recovery_folder)
    if not filesystem.exists(folder):
        yield Mkdir(folder)
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(commands.call(reading.now)))
    kept: dict[str, str] = {}
    for path in (system.data_dir, system.config, system.certificate, system.key, *more):
        inside = any(f"{path}/".startswith(f"{other}/") for other in kept)
        if path and not inside and filesystem.exists(path):
            # The number keeps two files of one name apart.
            kept[path] = f"{stamp}-{len(kept) + 1}-{os.path.basename(path).lstrip('.')}.tar.gz"
    if system.data_dir not in kept:
        raise NotThere(f"{system.data_dir} is not there, so there is nothing to archive")
    for path, name in kept.items():
        yield Archive(os.path.join(folder, name), path)


def leftovers_away(
    system: PocketAgent, filesystem: Filesystem, projects: bool = True
) -> Iterator[PutAway]:
    """Put away every temporary file and lock: nobody writes one while the server is stopped.

    Args:
        system: whose data folder it is.
        filesystem: tells what is there.
        projects: whether those below projects/ are meant too.
    """
    entries: tuple[Entry, ...] = filesystem.folder(system.data_dir, follow=True)
    if projects:
        # Without projects there are no leftovers among them.
        with contextlib.suppress(Absent, Blocked):
            entries += project_tree(system, filesystem).entries
    for entry in entries:
        if entry.kind in {"file", "link"} and (
            entry.name.startswith(".tmp-") or entry.name.endswith(".tmp") or entry.name == ".lock"
        ):
            yield PutAway(entry.path)


@dataclass(frozen=True)
class Outage:
    """The time in which the server is stopped: how it begins, and how it ends.

    Args:
        system: the server.
        processes: tells what runs.
        systemd: tells what its unit does.
        commands: the host.
    """

    system: PocketAgent
    processes: Processes
    systemd: Systemd
    commands: Host

    def stopped(self, alone: tuple[Execution, ...]) -> Iterator[Run | Stop]:
        """Stop the server, and end the executions that nobody waits for then.

        Args:
            alone: executions that nobody waits for now.

        Raises:
            NoPermission: it runs as another user, as whom we could not start it again.
            CannotTell: nothing tells how it is started again.
        """
        if not self.system.start_command:
            raise CannotTell(
                "nothing tells how the server is started; start_command in the systems file may"
            )
        servers = self._servers()
        by_hand = [one for one in servers if not self._in_unit(one)]
        if not self._unit("start") and (others := self._of_another_user(servers)):
            raise NoPermission(f"the server is {others}'s: run this as {others}")
        if len(by_hand) < len(servers):
            yield Run(self._unit("stop"), undo=self._unit("start"), deadline=120.0)
        for one in by_hand:
            yield self._stop(one, again=one is servers[0] and str(one.uid) == self._ours)
        for pid, started in self._executions(servers, alone).items():
            yield Stop(pid, started, self.system.settings.stop_grace)

    def started(self) -> Iterator[Run | Launch]:
        """Start the server, by its unit or by its command with the environment that it had."""
        start = self._unit("start")
        if start and self._failed():
            yield Run(tuple("reset-failed" if word == "start" else word for word in start))
        if start:
            yield Run(start, undo=self._unit("stop"), deadline=120.0)
        else:
            system = self.system
            grace = system.settings.stop_grace
            argv, folder, log = system.start_command, system.start_folder, system.start_log
            had = self._running[0].environment if self._running else {}
            yield Launch(argv, folder, log, tuple(sorted(had.items())), patience=grace)

    def _stop(self, one: Process, again: bool) -> Stop:
        """End a server; what starts it again is its own command line, which is known to work."""
        grace = self.system.settings.stop_grace
        ran = next((each for each in self._running if each.pid == one.pid), None)
        if not again or ran is None or not ran.argv:
            return Stop(one.pid, one.started_ticks, grace)
        known = ran.argv[0].startswith("/") or not ran.executable
        argv = ran.argv if known else (ran.executable, *ran.argv[1:])
        log = next(iter(ran.outputs), self.system.start_log)
        environment = tuple(sorted(ran.environment.items()))
        return Stop(one.pid, one.started_ticks, grace, argv, ran.folder, log, environment)

    @cached_property
    def _running(self) -> tuple[Command, ...]:
        return Search(self.system.settings, self.commands).running

    def _servers(self) -> tuple[Process, ...]:
        found = (self.processes.one(pid) for pid in self.system.pids)
        return tuple(one for one in found if one and not one.zombie)

    def _in_unit(self, one: Process) -> bool:
        return bool(self._unit("stop")) and one.cgroup.endswith(f"/{self.system.unit}")

    def _unit(self, verb: str) -> tuple[str, ...]:
        """Give the words that start or stop its unit; () where it is not started by one."""
        words = self.system.start_command
        if words[:1] != ("systemctl",) or "start" not in words:
            return ()
        return tuple(verb if word == "start" else word for word in words)

    def _failed(self) -> bool:
        """Tell whether systemd holds a failure against the unit, and might refuse to start it."""
        try:
            unit = self.systemd.unit(self.system.unit, user="--user" in self.system.start_command)
        except CannotTell:
            return False
        return unit.active_state == "failed"

    def _of_another_user(self, servers: tuple[Process, ...]) -> str:
        for one in servers:
            if str(one.uid) != self._ours:
                return one.owner
        foreign = self.system.uid is not None and str(self.system.uid) != self._ours
        return self.system.user if foreign and not servers else ""

    @cached_property
    def _ours(self) -> str:
        """The number of the user as whom steps are taken."""
        return self.commands.run(("id", "-u")).text.strip()

    def _executions(
        self, servers: tuple[Process, ...], alone: tuple[Execution, ...]
    ) -> dict[int, int]:
        """Give process and start of each run of the CLI that is, or is about to be, left alone."""
        names = {os.path.basename(self.system.claude) or "claude", "claude"}
        found = {one.pid: one.started for one in alone}
        for server in servers:
            below = self.processes.children(server.pid)
            found |= {o.pid: o.started_ticks for o in below if o.programs & names and not o.zombie}
        return found
