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
from plugins.steps.qdrant import (
    CopyCollection,
    CreateCollection,
    DropEmpty,
)
from plugins.steps.qdrant_dropping import DropCopy, DropOriginal
from plugins.steps.recreating import CreateLike, RemoveMade, StaysUp
from plugins.steps.replacing import Substitute, Word
from plugins.steps.snapshots import (
    CreateSnapshot,
    DeleteSnapshot,
    DropRestored,
    PutAwaySnapshot,
    RestoreSnapshot,
    TakeSnapshot,
)
from plugins.steps.step import Hands, Refusal, Step
from plugins.steps.stillness import Passed, Still
from plugins.steps.trees import CopyTree, TakeOver

__all__ = [
    "Archive",
    "Chmod",
    "Chown",
    "Copy",
    "CopyCollection",
    "CopyTree",
    "CreateCollection",
    "CreateLike",
    "CreateSnapshot",
    "DeleteSnapshot",
    "DropCopy",
    "DropEmpty",
    "DropLines",
    "DropOriginal",
    "DropRestored",
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
    "PutAwaySnapshot",
    "Quarantine",
    "Reencode",
    "Refusal",
    "RemoveContainer",
    "RemoveEmpty",
    "RemoveMade",
    "Restore",
    "RestoreSnapshot",
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
    "TakeSnapshot",
    "Taken",
    "Unpack",
    "Word",
    "Write",
    "words",
]
