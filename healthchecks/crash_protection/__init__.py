"""Crash protection: copies of Claude Code's conversations, and the monitor that takes them."""
