"""Alerts and heartbeats: who is told what of a run, when, and how it gets there."""
