"""Begins the process that serves, with nothing of this project but this package.

To import all of it, as its own first file does, would cost many times as much time and memory.
"""

import sys
import types
from pathlib import Path

project = types.ModuleType("plugins")
project.__path__ = [str(Path(__file__).resolve().parents[1])]
sys.modules["plugins"] = project

from plugins.serve.server import main  # noqa: E402 - it can be found from here on

main()
