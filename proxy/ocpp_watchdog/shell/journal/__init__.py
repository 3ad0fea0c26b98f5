"""What the program remembers on disk: every frame in segments, the facts in a database (DESIGN 6).

Everything that touches a disk or a database runs in threads of its own; the loop appends to queues and never waits.
"""
