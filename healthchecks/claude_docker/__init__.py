"""Pocket Agent: a WebSocket server that runs the Claude CLI for mobile clients."""
