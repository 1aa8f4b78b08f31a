"""The probes of portagent, by name; each stands in a file of its topic."""

__all__: list[str] = []
