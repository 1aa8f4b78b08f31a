"""Steps: frozen data of one thing to do on a host; see `step` for what they promise."""

from plugins.steps.archives import Archive, TakeFrom, Unpack
from plugins.steps.containers import RemoveContainer
from plugins.steps.contents import (
    Copy,
    DropLines,
    FreshSecret,
    Gunzip,
    Gzip,
    Link,
    Restore,
    Write,
)
from plugins.steps.copying import (
    GiveBackCopy,
    LetGo,
    TakeBackCopies,
    TakeCopies,
    Taken,
    TakeOut,
)
from plugins.steps.encodings import Reencode
from plugins.steps.outages import Ended, GiveBack, Launch, PutAway, Stop
from plugins.steps.places import Chmod, Chown, Mkdir, Move, Quarantine, RemoveEmpty
from plugins.steps.programs import EndGroup, Run, Start, words
from plugins.steps.recreating import CreateLike, StaysUp
from plugins.steps.replacing import Substitute, Word
from plugins.steps.step import Hands, Refusal, Step
from plugins.steps.stillness import Passed, Still
from plugins.steps.trees import CopyTree, TakeOver

__all__ = [
    "Archive",
    "Chmod",
    "Chown",
    "Copy",
    "CopyTree",
    "CreateLike",
    "DropLines",
    "EndGroup",
    "Ended",
    "FreshSecret",
    "GiveBack",
    "GiveBackCopy",
    "Gunzip",
    "Gzip",
    "Hands",
    "Launch",
    "LetGo",
    "Link",
    "Mkdir",
    "Move",
    "Passed",
    "PutAway",
    "Quarantine",
    "Reencode",
    "Refusal",
    "RemoveContainer",
    "RemoveEmpty",
    "Restore",
    "Run",
    "Start",
    "StaysUp",
    "Step",
    "Still",
    "Stop",
    "Substitute",
    "TakeBackCopies",
    "TakeCopies",
    "TakeFrom",
    "TakeOut",
    "TakeOver",
    "Taken",
    "Unpack",
    "Word",
    "Write",
    "words",
]
