"""The probes of crash_protection, by name; each stands in a file of its topic."""
