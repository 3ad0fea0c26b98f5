"""The verbs as flags, a file for each room they call. ``cli`` imports the one that is asked for and no other: whoever
asks for the version or the health does not wait for a journal and a simulator."""
