"""The probes of claude_docker, by name; each stands in a file of its topic."""
