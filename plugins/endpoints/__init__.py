"""Typed clients on a host; each answer is frozen data, each failure a kind of `CannotTell`."""
