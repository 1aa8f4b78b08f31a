"""Steps: frozen data of one thing to do on a host; see `step` for what they promise."""

from plugins.steps.archives import Archive, Unpack
from plugins.steps.contents import Copy, DropLines, Gunzip, Gzip, Link, Restore, Write
from plugins.steps.outages import Ended, GiveBack, Launch, PutAway, Stop
from plugins.steps.places import Chmod, Chown, Mkdir, Move, Quarantine, RemoveEmpty
from plugins.steps.programs import EndGroup, Run, Start, words
from plugins.steps.step import Hands, Refusal, Step

__all__ = [
    "Archive",
    "Chmod",
    "Chown",
    "Copy",
    "DropLines",
    "EndGroup",
    "Ended",
    "GiveBack",
    "Gunzip",
    "Gzip",
    "Hands",
    "Launch",
    "Link",
    "Mkdir",
    "Move",
    "PutAway",
    "Quarantine",
    "Refusal",
    "RemoveEmpty",
    "Restore",
    "Run",
    "Start",
    "Step",
    "Stop",
    "Unpack",
    "Write",
    "words",
]
