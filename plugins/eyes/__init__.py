"""Standard-library-only functions that look at a host; the same source runs here and far away."""
