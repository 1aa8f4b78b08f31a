"""Portagent: a web app for agents on SQLite, its provider, its page and its container."""
