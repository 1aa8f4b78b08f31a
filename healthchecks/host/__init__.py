"""The machine under the watched systems: room, memory, clock, names, Docker, firewall, schedule."""
