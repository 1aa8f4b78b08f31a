"""A host in small: proc files with real formats, real small disks, processes, firewalls, a dockerd.

What the kernel only tells of the whole machine (memory, pressure, start, kills) is given as files
in the kernel's own formats; everything else is real: mounts, processes, network name spaces,
dockerd.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from plugins.worlds.dockerd import DockerWorld

from .world_past import keep_room
from .world_real import Seen, Surroundings
from .world_schedules import Schedules

if TYPE_CHECKING:
    from plugins.run import Run

HOUR = 3600.0
MIB = 1 << 20


class World:
    """A healthy host in a folder; nothing is started or mounted until a method asks for it.

    Args:
        folder: an empty folder; everything but processes, mounts and name spaces lies in it.
    """

    volatile: tuple[str, ...] = ("docker/*", "mounts/*", "dead*")

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = str(folder / "data")
        self.nothing = str(folder / "nothing")
        self._over: dict[str, object] = {}
        self._free_before: dict[int, float] = {}
        self._real = Surroundings(folder)
        self.docker = DockerWorld(folder / "docker")
        self.schedules = Schedules(folder, self.change)
        (folder / "data").mkdir()
        (folder / "data" / "notes.txt").write_text("some work\n")
        (folder / "proc" / "self").mkdir(parents=True)
        (folder / "proc" / "pressure").mkdir()
        (folder / "sys" / "fs" / "cgroup").mkdir(parents=True)
        self.memory(total_mib=8000, available_mib=6000)
        self.load(cpu=1.0, io=0.0)
        self.boot(hours_ago=100)
        self.kernel(kills=0, up_days=4)

    def settings(self) -> dict[str, object]:
        """Return the keys to lay over [host]."""
        folder = str(self.folder)
        return {
            "home": folder,
            "proc": f"{folder}/proc",
            "sys": f"{folder}/sys",
            "kernel_log": f"{folder}/kernel.log",
            "watch_folders": [self.data],
            "docker_sockets": [],
            "files_looked_at": 10_000,
            "mount_answer_s": 2.0,
            "zombies_stay_s": 0.3,
            # This machine's own disk and clock may well be ill: they are not the world's.
            "disk_tight_percent": 100.1,
            "disk_full_percent": 100.1,
            "disk_free_gib": 0.0,
            "inodes_full_percent": 100.1,
            "disk_fills_days": 0.0,
            "clock_error_s": 1e9,
            "zone_file": self.nothing,
            "docker_program": "",
            "docker_url": "",
            **self._over,
        }

    def change(self, **settings: object) -> None:
        """Lay more keys over the settings."""
        self._over.update(settings)

    @property
    def total_gib(self) -> float:
        """The size of the file system that holds the world."""
        seen = os.statvfs(self.folder)
        return seen.f_blocks * seen.f_frsize / (1 << 30)

    def free_before(self, times: Mapping[int, float]) -> None:
        """Let runs so many days ago have seen so many times the free room of now."""
        self.change(disk_fills_days=14.0)
        self._free_before = dict(times)

    def arrange(self, run: Run) -> Run:
        """Write the history that the run is to find; it stands outside of the world."""
        keep_room(run, self.data, self._free_before)
        return run

    def _file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def memory(self, total_mib: int, available_mib: int, pressure: float | None = 0.0) -> None:
        """Write how much memory there is, and the percent of time that was lost waiting for it."""
        self._file(
            "proc/meminfo",
            f"MemTotal:       {total_mib << 10:8d} kB\nMemFree:        {available_mib << 9:8d} kB\n"
            f"MemAvailable:   {available_mib << 10:8d} kB\nSwapTotal:             0 kB\n",
        )
        self._pressure("memory", pressure)
        self._file("proc/self/cgroup", "0::/\n")

    def _pressure(self, kind: str, percent: float | None) -> None:
        if percent is None:
            (self.folder / "proc/pressure" / kind).unlink(missing_ok=True)
            return
        line = f"avg10={percent:.2f} avg60={percent:.2f} avg300=0.00 total=1234"
        self._file(f"proc/pressure/{kind}", f"some {line}\nfull {line}\n")

    def control_group(
        self,
        limit_mib: int | None,
        used_mib: int,
        cache_mib: int,
        version: int = 2,
        *,
        inside: bool = False,
    ) -> None:
        """Put us into a memory control group; `inside`: with the host's path in a container."""
        own = "system.slice/agent.service"
        root = "sys/fs/cgroup" + ("/memory" if version == 1 else "")
        place = root if inside else f"{root}/{own}"
        line = f"0::/{own}" if version == 2 else f"4:memory:/{own}\n0::/"
        self._file("proc/self/cgroup", f"{line}\n")
        limit = "max" if limit_mib is None else str(limit_mib * MIB)
        names = ("memory.max", "memory.current", "")
        if version == 1:
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_")
        self._file(f"{place}/{names[0]}", f"{limit}\n")
        self._file(f"{place}/{names[1]}", f"{used_mib * MIB}\n")
        cache = f"{names[2]}inactive_file {MIB}\n{names[2]}active_file {(cache_mib - 1) * MIB}\n"
        self._file(f"{place}/memory.stat", f"anon 1\n{cache}")

    def load(self, cpu: float | None, io: float | None) -> None:
        """Write the percent of time lost waiting for CPUs and disks; the load is this machine's."""
        self._pressure("cpu", cpu)
        self._pressure("io", io)
        self.change(load_per_cpu=1e6)

    def boot(self, hours_ago: float) -> None:
        """Write when the machine started."""
        started = int(time.time() - hours_ago * HOUR)
        cpus = "".join(f"cpu{number} 9 0 9 99 0 0 0 0 0 0\n" for number in range(2))
        self._file("proc/stat", f"cpu 18 0 18 198 0 0 0 0 0 0\n{cpus}btime {started}\n")

    def kernel(self, kills: int, up_days: float, killed_days_ago: tuple[float, ...] = ()) -> None:
        """Write how often the kernel killed for lack of memory, and its log of when."""
        self.boot(hours_ago=up_days * 24)
        self._file("proc/vmstat", f"nr_free_pages 1\noom_kill {kills}\npgfault 7\n")
        lines = ["6,1,0,-;Linux version 6.1.0\n"]
        for number, days in enumerate(killed_days_ago):
            stamp = int((up_days - days) * 86400e6)
            words = f"Out of memory: Killed process {900 + number} (node) total-vm:9999kB"
            lines.append(f"3,{50 + number},{stamp},-;{words}\n")
        self._file("kernel.log", "".join(lines))

    def history(self, source_hours_ago: float, backup_hours_ago: float) -> None:
        """Make a source and a backup of these ages, the backup within the watched folder."""
        backup = self._file("data/backups/monday.tar", "saved work\n")
        now = time.time()
        for path, age in (
            (self.folder / "data/notes.txt", source_hours_ago),
            (backup, backup_hours_ago),
        ):
            os.utime(path, (now - age * HOUR, now - age * HOUR))
        self.change(watch_backups=[str(backup.parent)])

    def dated(self, hours_ahead: float) -> None:
        """Date a watched file so many hours ahead of now."""
        moment = time.time() + hours_ahead * HOUR
        os.utime(self.folder / "data/notes.txt", (moment, moment))

    def zone(self, content: bytes | None) -> None:
        """Make a zone file with this content, or one that leads nowhere."""
        path = self.folder / "localtime"
        if content is None:
            path.symlink_to(self.nothing)
        else:
            path.write_bytes(content)
        self.change(zone_file=str(path))

    def tool(self, name: str, mode: int = 0o755) -> None:
        """Install a tool that a system needs."""
        self._file(f"bin/{name}", "#!/bin/sh\n").chmod(mode)
        self.change(watch_tools=[name], tool_folders=[str(self.folder / "bin")])

    def small_disk(self, used_percent: int, files: int = 0, seen: Seen = "") -> str:
        """Mount a file system of 4 MiB and 100 inodes, fill it so far, and return its folder.

        `seen` is "sealed" where it is to be read-only, "read-only" where only our mount of it is.
        """
        self.change(disk_tight_percent=80.0, disk_full_percent=90.0, inodes_full_percent=90.0)
        return self._real.small_disk(used_percent, files, seen)

    def dead_mount(self, *, gone: bool = False) -> str:
        """Mount a file system whose server never answers, or is gone, and return its folder."""
        return self._real.dead_mount(gone=gone)

    def parent(self, zombies: int = 0, open_files: int = 0, soft_limit: int = 1024) -> None:
        """Start a watched program that leaves so many children dead, and files open."""
        # Worlds of other tests stand on this machine at the same time.
        name = f"watched-parent-{secrets.token_hex(4)}"
        self._real.parent(self.folder / name, zombies, open_files, soft_limit)
        self.change(watch_programs=[name])

    def firewall(self, *commands: str) -> None:
        """Run firewall commands in a network name space of its own where a watched port listens.

        `{port}` in a command stands for the port.
        """
        port = 18443
        prefix, pid = self._real.network(port)
        for command in commands:
            argv = [*prefix, *command.format(port=port).split()]
            subprocess.run(argv, check=True, capture_output=True)
        self.change(watch_ports=[port], firewall_command=prefix, network_tables=f"/proc/{pid}")

    def use_docker(self, **settings: object) -> None:
        """Watch a Docker engine of the world's own; it runs once `docker.start` is called."""
        start = [self.docker.script()]
        url = self.docker.url
        self.change(docker_url=url, docker_start=start, docker_answer_s=4.0, **settings)

    def close(self) -> None:
        """End every process, unmount every file system and take every name space away."""
        self.docker.close()
        self._real.close()
