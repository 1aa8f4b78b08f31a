"""Claude Code and the kit that runs it in Docker: its login, its copies, its containers."""
