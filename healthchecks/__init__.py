"""What must hold: one folder a system, and nothing here changes anything."""
