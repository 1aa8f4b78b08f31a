"""What runs a command line again and again: systemd, launchd, cron, and two CI services."""
