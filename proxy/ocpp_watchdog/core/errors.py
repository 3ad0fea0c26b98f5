"""The exceptions the core can raise. What a peer sends wrong is a value, never one of these.

CoreError
+-- UnusableProfile    a charging profile that no rule can be read from
"""


class CoreError(Exception):
    """Something of ours is broken or cannot be done; the shell logs it and goes on."""


class UnusableProfile(CoreError):  # noqa: N818 - a value that cannot be used, as errors.py names all of them
    """A charging profile without a purpose, a unit or a single readable period."""
