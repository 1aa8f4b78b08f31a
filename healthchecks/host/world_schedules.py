"""Schedules of the checks in small: units, crontabs, agents, and what their runs leave."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

HOUR = 3600.0
NAME = "agent-healthchecks"

# It stands in for systemd's own program: no test may touch the real one. A folder is the switch,
# and its time is since when; a file is a unit, and holds the variables that it gives.
SYSTEMCTL = """\
#!/bin/sh
shown='{scope}'
if [ "$1" = --user ]; then
  shift
elif [ "$shown" = --user ] && [ "$1" = show ]; then
  shown=none
fi
verb=$1
while [ "$1" != -- ] && [ $# -gt 1 ]; do shift; done
case "$verb" in
show)
  shift
  for unit; do
    echo "Id=$unit"
    if [ "$shown" = none ] || [ ! -e "{units}/$unit" ]; then
      echo LoadState=not-found
    else
      echo LoadState=loaded
      echo "Environment=$(cat "{units}/$unit")"
      if [ -d '{switch}' ]; then
        echo ActiveState=active
        date -u -r '{switch}' '+ActiveEnterTimestamp=%a %Y-%m-%d %H:%M:%S UTC'
      else
        echo ActiveState=inactive
      fi
    fi
    echo
  done ;;
start) mkdir -p '{switch}' ;;
stop) rmdir '{switch}' ;;
*) exit 1 ;;
esac
"""


class Schedules:
    """What runs the checks again and again, and what it left.

    Args:
        folder: where its files lie.
        change: lays settings over the world's own.
    """

    def __init__(self, folder: Path, change: Callable[..., None]) -> None:
        self._folder = folder
        self._change = change
        change(
            crontabs=[],
            crontab_command=[],
            launch_agents=[],
            schedule_timer="",
            schedule_marks=str(folder / "scheduled"),
            last_run_files=[f"{folder}/health.json"],
        )

    def timer(
        self, *, active: bool, ran_hours_ago: float | None, on_hours_ago: float | None = None
    ) -> None:
        """Install a timer of the system whose runs leave no mark, as older ones did."""
        self._units({f"{NAME}.timer": "", f"{NAME}.service": ""}, active, on_hours_ago)
        self.report(ran_hours_ago)

    def marking_timer(
        self,
        *,
        ran_hours_ago: float | None,
        every: float = 24 * HOUR,
        on_hours_ago: float = 500.0,
        active: bool = True,
        named: str = NAME,
    ) -> None:
        """Install a timer of the user's, as --print-unit prints it, and the mark of its runs."""
        variables = f"PATH=/bin {self._said('systemd', every, named)}"
        units = {f"{named}.timer": "", f"{named}.service": variables}
        self._units(units, active, on_hours_ago, scope="--user")
        self.ran("systemd", ran_hours_ago, every, named)

    def watch(self, *, active: bool, round_hours_ago: float) -> None:
        """Install a service that watches, as --print-unit prints it, and the mark of its rounds."""
        variables = self._said("systemd", 60)
        self._units({f"{NAME}.service": variables}, active, on_hours_ago=500, scope="--user")
        self.ran("systemd", round_hours_ago, 60)

    def _units(
        self, units: dict[str, str], active: bool, on_hours_ago: float | None, scope: str = ""
    ) -> None:
        for name, variables in units.items():
            self._file(f"units/{name}", f"{variables}\n")
        switch = self._folder / "timer.on"
        if active:
            switch.mkdir()
            on = time.time() - (on_hours_ago or 0.0) * HOUR
            os.utime(switch, (on, on))
        script = SYSTEMCTL.format(switch=switch, units=self._folder / "units", scope=scope)
        program = self._file("bin/systemctl", script)
        program.chmod(0o755)
        self._change(systemctl=str(program), schedule_timer="agent-healthchecks.timer")

    def crontab(self, ran_hours_ago: float) -> None:
        """Install a crontab of the system with one line, long ago."""
        line = "15 6 * * * root cd /srv/checks && pytest healthchecks/ -q"
        path = self._file("crontab", f"# m h dom mon dow\n{line}\n")
        os.utime(path, (time.time() - 5000 * HOUR,) * 2)
        self._change(crontabs=[str(path)])
        self.report(ran_hours_ago)

    def own_crontab(self, *, ran_hours_ago: float | None, every: float = 24 * HOUR) -> None:
        """Install a crontab of the user's, as --print-unit prints it, and the mark of its runs."""
        words = f"30 7 * * * {self._said('cron', every)} /bin/sh -c 'pytest healthchecks/'"
        path = self._file("own-crontab", f"# BEGIN agent-healthchecks\n{words}\n")
        self._change(crontab_command=["cat", str(path)])
        self.ran("cron", ran_hours_ago, every)

    def agent(self, *, ran_hours_ago: float) -> None:
        """Install a launchd agent, long ago, and the mark of its runs."""
        mark = self._said("launchd", 24 * HOUR).partition("=")[2]
        text = f"<key>HEALTHCHECKS_SCHEDULED</key>\n\t\t<string>{mark}</string>\n"
        path = self._file("agents/org.agent-healthchecks.plist", text)
        os.utime(path, (time.time() - 5000 * HOUR,) * 2)
        self._change(launch_agents=[str(path.parent)])
        self.ran("launchd", ran_hours_ago, 24 * HOUR)

    def ran(
        self, by: str, hours_ago: float | None, every: float = 24 * HOUR, named: str = NAME
    ) -> None:
        """Leave the mark of a scheduled run, where there was one."""
        if hours_ago is not None:
            ended = time.time() - hours_ago * HOUR
            row = {"began": ended - 9, "ended": ended, "status": 0}
            row_of = {"mark": self._said(by, every, named).partition("=")[2], **row}
            self._file(f"scheduled/{named}.json", json.dumps(row_of))

    def report(self, hours_ago: float | None) -> None:
        """Leave the report of a run that anybody may have started, where there was one."""
        if hours_ago is not None:
            path = self._file("health.json", "{}\n")
            os.utime(path, (time.time() - hours_ago * HOUR,) * 2)

    def _said(self, by: str, every: float, named: str = NAME) -> str:
        return f"HEALTHCHECKS_SCHEDULED={by}:{named}:{every:.0f}"

    def _file(self, name: str, text: str) -> Path:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path
