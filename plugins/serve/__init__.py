"""What a watch hands out over HTTP, in a process of its own: no client makes the watch wait."""

VARIABLE = "HEALTHCHECKS_SERVE_TOKEN"  # of the environment: what clients must name
