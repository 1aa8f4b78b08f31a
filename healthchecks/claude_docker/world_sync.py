"""The staging folder of a world, its lock and its launcher."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthchecks.claude_docker.world import World

# Of the shape of the kit's own: one unrelated line with --rm, and runs over many lines.
LAUNCHER = r"""#!/bin/zsh
# Starts Claude Code in a container. docker run without --rm leaves containers behind.
emulate -L zsh
SCRIPT_DIR="${0:A:h}"
source "$SCRIPT_DIR/lib/sync.sh"
IMAGE="${CLAUDE_IMAGE:-claude-code-tools}"

check_version() {
  docker run --rm "$IMAGE" claude --version 2>/dev/null | head -n 1   # as it was built
}

usage() {
  cat <<'END'
usage: claude [words]; it does a `docker run -it claude-code-tools` for you
docker run -it claude-code-tools
END
  echo "Starting: docker run -it $IMAGE"
}

claude() {
  local name="claude-session-$(date +%s)" state="$HOME/.docker-ai-config/global_state"
  local -a mounts
  mounts=(
    -v "$state/claude_config:/root/.claude-config"
    -v "$PWD:/workspace"   # the project
  )
  [[ -n $CLAUDE_EXTRA ]] && mounts+=(-v "$CLAUDE_EXTRA:/workspace/extra")
  sync_claude_config_in || return 1
  docker run @RM@ -it \
    --name "$name" \
    @LIMITS@ \
    -e CLAUDE_CONFIG_DIR=/root/.claude-config \
    "${mounts[@]}" \
    "$IMAGE" \
    claude "$@"
  local rc=$?
  sync_claude_config_out
  return $rc
}
"""

LIBRARY = r"""#!/bin/bash
# Takes Claude's folder into the staging folder and back.

fix_mcp_paths() {
  local file="$CLAUDE_STATE_DIR/.claude.json"
  [ -f "$file" ] || return 0
  jq '.mcp.servers |= with_entries(.value.args |= map(sub("^/home/[^/]+/"; "/workspace/")))' \
    "$file" > "$file.tmp" && mv "$file.tmp" "$file"
}

sync_claude_config_in() {
  exec 200> "$SYNC_LOCK_FILE"
  flock -w 30 200 || return 1
  rsync -a --delete --exclude 'debug/' "$HOME/.claude/" "$CLAUDE_STATE_DIR/"
  cp "$HOME/.claude.json" "$CLAUDE_STATE_DIR/.claude.json"
  @CALL@
  rm -f "$SYNC_LOCK_FILE"
}

sync_claude_config_out() {
  rsync -a --delete "$CLAUDE_STATE_DIR/" "$HOME/.claude/"
}
"""
LIMITS = "--memory 2g --memory-swap 2g --cpus=2.0 --pids-limit 100"


class Sync:
    """The staging folder of a world, its lock and its launcher.

    Args:
        world: that it belongs to.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.tools = world.folder / "claude-code-docker-tools"
        self.launcher = self.tools / "ai-assistant.zsh"
        self.library = self.tools / "lib" / "sync.sh"
        self.lock = world.tmp / "claude-config-sync.lock"
        self._holder: subprocess.Popen[bytes] | None = None

    def build(self) -> None:
        """Make the healthy state: staged a moment ago, no lock, a launcher that is right."""
        if not self._world.kit:
            return
        self.stage()
        self.library.parent.mkdir(parents=True)
        self.launch()
        self.wire()

    def stage(self) -> None:
        """Take Claude's folder and configuration into the staging folder, as the kit does."""
        state = self._world.state_dir
        leaves = shutil.ignore_patterns(
            "debug", "shell-snapshots", "statsig", ".DS_Store", "*.log", "*.tmp"
        )
        shutil.copytree(
            self._world.config_dir, state, symlinks=True, ignore=leaves, dirs_exist_ok=True
        )
        login = self._world.login
        login.put(state / ".claude.json", login.staged_configuration)

    def date(self, path: Path, hours_ago: float = 24.0) -> None:
        """Let a file be written so long ago."""
        moment = path.lstat().st_ctime - hours_ago * 3600
        os.utime(path, (moment, moment), follow_symlinks=False)

    def launch(self, text: str = LAUNCHER, *, rm: str = "--rm", limits: str = LIMITS) -> None:
        """Write the launcher, with or without --rm and limits in its one long run."""
        # A continued line that holds nothing else stays one.
        text = text.replace("@RM@", rm).replace("@LIMITS@", limits)
        self.launcher.write_text(text, "utf-8", "surrogateescape")
        self.launcher.chmod(0o755)

    def wire(self, call: str = "fix_mcp_paths", text: str = LIBRARY) -> None:
        """Write the library; `call` stands in the function that stages."""
        self.library.write_text(text.replace("@CALL@", call), "utf-8")

    def locked(self, seconds_ago: float) -> Path:
        """Leave a lock that nobody holds."""
        self.lock.touch()
        moment = self.lock.stat().st_mtime - seconds_ago
        os.utime(self.lock, (moment, moment))
        return self.lock

    def differ(self, name: str, host: bytes | None, staged: bytes | None) -> None:
        """Let a file have other contents on the two sides, None where it is missing."""
        for top, content in ((self._world.config_dir, host), (self._world.state_dir, staged)):
            path = top / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            if content is not None:
                path.write_bytes(content)
                self.date(path)

    def same_time(self, name: str) -> None:
        """Let a file have been written at one time on both sides."""
        moment = (self._world.config_dir / name).stat().st_mtime_ns
        os.utime(self._world.state_dir / name, ns=(moment, moment))

    def held(self, *how: str) -> None:
        """Have an old lock that a process holds."""
        self.locked(seconds_ago=300.0)
        script = "echo held; exec sleep 600"
        argv = ("flock", *how, str(self.lock), "sh", "-c", script)
        self._holder = subprocess.Popen(argv, stdout=subprocess.PIPE, start_new_session=True)
        assert self._holder.stdout is not None
        self._holder.stdout.readline()

    def mounted_only(self) -> None:
        """Have a staging folder that was never made the same as Claude's, as today's kit does."""
        self.library.unlink()
        shutil.rmtree(self._world.state_dir)
        self._world.state_dir.mkdir()
        (self._world.state_dir / "settings.json").write_text('{"theme": "light"}')
        (self._world.state_dir / "note.md").write_text("of a container\n")
        self._world.change(text_logs=[])

    def close(self) -> None:
        """End what runs."""
        if self._holder is not None:
            os.killpg(self._holder.pid, signal.SIGKILL)
            self._holder.wait()
            assert self._holder.stdout is not None
            self._holder.stdout.close()
            self._holder = None
