"""The probes of dgmo, by name; each stands in a file of its topic."""

__all__: list[str] = []
