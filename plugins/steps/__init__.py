"""Steps: frozen data of one thing to do on a host; see `step` for what they promise."""

from plugins.steps.contents import Copy, DropLines, Gunzip, Gzip, Link, Restore, Write
from plugins.steps.places import Chmod, Chown, Mkdir, Move, Quarantine, RemoveEmpty
from plugins.steps.programs import EndGroup, Run, Start, words
from plugins.steps.step import Hands, Refusal, Step

__all__ = [
    "Chmod",
    "Chown",
    "Copy",
    "DropLines",
    "EndGroup",
    "Gunzip",
    "Gzip",
    "Hands",
    "Link",
    "Mkdir",
    "Move",
    "Quarantine",
    "Refusal",
    "RemoveEmpty",
    "Restore",
    "Run",
    "Start",
    "Step",
    "Write",
    "words",
]
