"""The exceptions the core can raise. What a peer sends wrong is a value, never one of these.

CoreError
+-- UnusableProfile    a charging profile that no rule can be read from
+-- UnusableMemory     what a charge point's memory holds cannot be understood
"""


class CoreError(Exception):
    """Something of ours is broken or cannot be done; the shell logs it and goes on."""


class UnusableProfile(CoreError):  # noqa: N818 - a value that cannot be used, as errors.py names all of them
    """A charging profile without a purpose, a unit or a single readable period."""


class UnusableMemory(CoreError):  # noqa: N818 - as above
    """A memory of another version or another charge point, or one that is damaged."""
