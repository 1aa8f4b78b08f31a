"""Probes of the host: what is looked at. They stand by topic in the files beside this one."""

from .probes_docker import docker_engine, hoard, killed_containers
from .probes_filling import fillings
from .probes_memory import busy, kills, memory
from .probes_names import clock_error, lost_names, missing_tools, stray_localhost, zone
from .probes_network import dropped_ports
from .probes_processes import holdings, uncollected
from .probes_schedule import schedule
from .probes_space import future_files, rooms, unsaved

__all__ = [
    "busy",
    "clock_error",
    "docker_engine",
    "dropped_ports",
    "fillings",
    "future_files",
    "hoard",
    "holdings",
    "killed_containers",
    "kills",
    "lost_names",
    "memory",
    "missing_tools",
    "rooms",
    "schedule",
    "stray_localhost",
    "uncollected",
    "unsaved",
    "zone",
]
