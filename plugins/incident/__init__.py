"""The guide's incident report, made of the history, the journals and the findings of a run."""
