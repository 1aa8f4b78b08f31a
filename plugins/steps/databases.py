"""Steps that back a SQLite database up, and that put a whole one in the place of a broken one.

All work is done on copies, in a private folder of the run. A new database counts when it is whole,
has its tables and holds what can still be read of the old one; the old one stays in the slot, with
the journal and the log that belong to it. None is replaced while a process holds it open.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from plugins.endpoints import sqlite_reading
from plugins.endpoints.sqlite import Standing
from plugins.eyes import databases as eyes
from plugins.hands import databases, files, replacing
from plugins.outcomes import NoFact, ToolMissing
from plugins.shell import line, quoted
from plugins.steps.contents import NewContent
from plugins.steps.places import Move
from plugins.steps.step import Hands, OnFile, Refusal, Step

BESIDE = ("-journal", "-wal", "-shm")
_HOURS = 4 * 3600.0
_TRIES = 5  # at a database that is written to meanwhile
# What may go wrong while a dump is read back would undo all of it.
_MAKE = """sqlite3 -init /dev/null "$1" "$3" 2> /dev/null | sed 's/^ROLLBACK;.*/COMMIT;/' |
sqlite3 -init /dev/null -safe "$2" > /dev/null 2>&1"""
WAYS = (".recover", ".dump")


def standing(path: str, hands: Hands) -> Standing:
    """Return what stands at the path of a database; raise `Refusal` when that cannot be told."""
    try:
        return Standing(**hands.host.call(eyes.standing, path, deadline=30.0))
    except OSError as error:
        raise Refusal(f"{path}: {error.strerror or error}") from None
    except NoFact as why:
        raise Refusal(f"{path}: {why}") from None


@dataclass(frozen=True)
class BackUpDatabase(OnFile):
    """Back a database up by SQLite's backup API, for its owner alone; no writer waits for it.

    Args:
        path: the backup, where nothing may stand yet.
        source: the database; it may be in use.
    """

    source: str

    def take(self, hands: Hands) -> None:
        """Take it; refused when the database is not whole, or is written to at every try."""
        self.ask(hands)
        work = f"{hands.slot}.work"
        copy = os.path.join(work, "new.db")
        hands.use(files.mkdir, work, hands.folders(), 0o700)
        try:
            for _ in range(_TRIES):
                if self._copied(hands, work, copy):
                    break
                hands.use(databases.without, copy)
            else:
                raise Refusal(f"{self.source}: it was written to at each of {_TRIES} tries")
            hands.use(files.chmod, copy, hands.folders(), 0o600)
            hands.use(files.copy, copy, self.path, hands.folders())
        finally:
            hands.use(databases.clear, work)

    def _copied(self, hands: Hands, work: str, copy: str) -> bool:
        """Copy it, and tell whether nobody can have written to what was read."""
        before = standing(self.source, hands)
        if before.journal:
            raise Refusal(f"{self.source}: a transaction is under way, or was killed")
        isolated = before.log > 0 and before.index
        uri = (sqlite_reading.with_its_log if isolated else sqlite_reading.as_a_file)(before.real)
        try:
            if before.log > 0 and not before.index:
                aside = _aside(self.source, hands, work)
                hands.use(databases.whole, aside, [])  # which takes the log in
                uri = sqlite_reading.as_a_file(aside)
            hands.use(databases.back_up, uri, copy)
        except Refusal:
            if standing(self.source, hands).mark == before.mark:
                raise
            return False
        return isolated or (before.settled and standing(self.source, hands).mark == before.mark)

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the step that moves the backup into the quarantine."""
        return (Move(self.path, hands.slot),)

    def __str__(self) -> str:
        new, path = quoted(f"{self.path}.new"), quoted(self.path)
        words = f'.backup "{_escaped(f"{self.path}.new")}"'
        return (
            f"(umask 077; {line('sqlite3', '-init', '/dev/null', '-readonly', self.source, words)})"
            f' && [ "$(sqlite3 {new} "PRAGMA integrity_check")" = ok ] && mv -n -- {new} {path}'
        )


def _escaped(path: str) -> str:
    return path.replace("\\", "\\\\").replace('"', '\\"')


def _aside(path: str, hands: Hands, work: str) -> str:
    """Copy a database with its journal and its log into the private folder; return the copy."""
    copy = os.path.join(work, "copy.db")
    folders = [*hands.folders(), os.path.dirname(path)]
    hands.use(databases.without, copy)
    for end in ("", *BESIDE[:2]):
        if not end or _stands(f"{path}{end}", hands):
            hands.use(files.copy, f"{path}{end}", f"{copy}{end}", folders)
            hands.use(files.chmod, f"{copy}{end}", folders, 0o600)
    return copy


def _stands(path: str, hands: Hands) -> bool:
    return OnFile(path).state(hands, light=True)["kind"] != "absent"


@dataclass(frozen=True)
class OtherDatabase(NewContent):
    """Put another database at the path; journal and log of the former one go with it.

    Args:
        path: of the database; refused while a process holds it open for writing.
        tables: what the new one must have.
    """

    tables: tuple[str, ...]

    def made(self, hands: Hands, work: str) -> str:
        """Return the path of a whole database in the private folder; raise `Refusal`."""
        raise NotImplementedError

    def take(self, hands: Hands) -> None:
        """Make the new one, then put it in the place of the other."""
        self.ask(hands)
        work = f"{hands.slot}.work"
        hands.use(files.mkdir, work, hands.folders(), 0o700)
        try:
            new = self.made(hands, work)
            mode = self.state(hands, light=True).get("mode", 0o600)
            hands.use(files.chmod, new, hands.folders(), mode)
            self.ask(hands)  # making it took a while
            self._place(hands, new)
        finally:
            hands.use(databases.clear, work)

    def _place(self, hands: Hands, new: str) -> None:
        folders = hands.folders()
        hands.use(files.keep, self.path, hands.slot, folders)
        try:
            hands.use(replacing.replace, self.path, new, hands.slot, list(BESIDE), folders)
        except Refusal:
            hands.use(files.let_go, self.path, hands.slot, folders)
            raise

    def _beside(self, hands: Hands) -> tuple[str, ...]:
        return tuple(end for end in BESIDE if _stands(f"{self.path}{end}", hands))

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the steps that give the former one back, with its journal and its log."""
        beside = (Move(f"{hands.slot}{end}", f"{self.path}{end}") for end in self._beside(hands))
        return (*super().inverse(hands), *beside)

    def _placing(self) -> str:
        """Return the end of the shell line: what stands in $new/new.db comes to the path."""
        path, new = quoted(self.path), '"$new/new.db"'
        there = " && ".join(
            f'[ -n "$(sqlite3 {new} {quoted(f".schema {table}")})" ]' for table in self.tables
        )
        return (
            f'[ "$(sqlite3 {new} "PRAGMA integrity_check")" = ok ] && {there}'
            f" && {{ [ ! -e {path} ] || {{ chmod --reference={path} {new}"
            f' && chown --reference={path} {new} && cp -p -- {path} "$old/"; }}; }}'
            f" && for end in {' '.join(BESIDE)}; do [ ! -e {path}$end ]"
            f' || mv -n -- {path}$end "$old/"; done && mv -f -- {new} {path}'
        )


@dataclass(frozen=True)
class RecoverDatabase(OtherDatabase):
    """Recover what is in a broken database into a new one.

    A journal or log that a crash left is applied first: then it may be whole. Else the sqlite3
    shell recovers it, by `.recover` where the shell is built with it, by `.dump` where it is not.

    Args:
        losing: whether rows that are lost for good may be missing in the new one.
    """

    losing: bool = False

    def made(self, hands: Hands, work: str) -> str:
        """Return the recovered one."""
        logged = standing(self.path, hands).wal
        copy = _aside(self.path, hands, work)
        try:
            hands.use(databases.whole, copy, list(self.tables))
        except Refusal:
            pass
        else:
            return copy
        try:
            hands.host.run(("sqlite3", "-version"))
        except ToolMissing as why:
            raise Refusal(f"{why}: `apt-get install sqlite3` brings it") from None
        new, reasons = os.path.join(work, "new.db"), [""]
        for way in WAYS:
            try:
                hands.host.run(("/bin/sh", "-c", _MAKE, "recover", copy, new, way), deadline=_HOURS)
                hands.use(databases.whole, new, list(self.tables))
                if not self.losing:
                    hands.use(databases.compare, copy, new)
            except (Refusal, NoFact) as why:
                reasons.append(str(why).rpartition(f"{work}/")[2].partition(": ")[2])
                hands.use(databases.without, new)
                continue
            if logged:
                hands.use(databases.logged, new)
            return new
        raise Refusal(f"{self.path}: what can be recovered is not enough: {reasons[-1]}")

    def __str__(self) -> str:
        path, copied = quoted(self.path), " ".join(("''", *BESIDE[:2]))
        return (
            f"old=$(mktemp -d) && new=$(mktemp -d) && for end in {copied}; do [ ! -e {path}$end ]"
            f' || cp -p -- {path}$end "$new/copy.db$end"; done'
            f' && for way in {" ".join(WAYS)}; do rm -f -- "$new/new.db"'
            f' && {{ sqlite3 "$new/copy.db" "$way" 2> /dev/null | sed \'s/^ROLLBACK;.*/COMMIT;/\''
            f' | sqlite3 -safe "$new/new.db" > /dev/null 2>&1 || true; }}'
            f' && [ -z "$(sqlite3 "$new/new.db" .tables)" ] || break; done'
            f"{'' if self.losing else self._comparing()} && {self._placing()}"
        )

    def _comparing(self) -> str:
        """Return the part of the shell line that ends it where known rows are missing.

        By `count(*)` alone SQLite counts the entries of an index.
        """
        counts = [
            quoted(f"SELECT count(*) FROM {table}{how}")  # noqa: S608 - tables of ours
            for table in self.tables
            for how in ("", " NOT INDEXED")
        ]
        return "".join(
            f' && [ "$(sqlite3 "$new/new.db" {count})" -ge'
            f' "$(sqlite3 "$new/copy.db" {count} 2> /dev/null || echo 0)" ]'
            for count in counts
        )


@dataclass(frozen=True)
class RestoreDatabase(OtherDatabase):
    """Put a backup in the place of a database, whatever stands there.

    Args:
        source: the backup: a database, or a tar.gz that holds one.
        member: its name in the tar.gz; "" where `source` is the database itself.
    """

    source: str
    member: str = ""

    def made(self, hands: Hands, work: str) -> str:
        """Return a whole copy of the backup."""
        if self.member:
            copy = os.path.join(work, "copy.db")
            hands.use(databases.unpack, self.source, self.member, copy)
        else:
            copy = _aside(self.source, hands, work)
        hands.use(databases.whole, copy, list(self.tables))
        return copy

    def __str__(self) -> str:
        made = (
            f'{line("tar", "-xzOf", self.source, "--", self.member)} > "$new/new.db"'
            if self.member
            else f'cp -- {quoted(self.source)} "$new/new.db"'
        )
        return f"old=$(mktemp -d) && new=$(mktemp -d) && {made} && {self._placing()}"
