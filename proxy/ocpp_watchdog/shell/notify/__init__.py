"""Alarms that leave the machine. Never in the way of a frame: own task, bounded queue, bounded time."""
