"""Frames of a log or of the journal -> a report: the judge of the running program, driven by the log's own time."""
