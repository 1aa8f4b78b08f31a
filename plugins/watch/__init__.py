"""A watch: rounds in one process, again and again, that tell what changed."""
