"""What steps do on a host, in functions that a far host can run too."""
