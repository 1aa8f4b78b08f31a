"""What a run came to, for other programs: one small file a format, each `Conclusion` in, text out.

Each is imported when it is asked for. None of them is a report of its own: they say what the result
document says.
"""
