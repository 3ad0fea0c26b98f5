"""The owner's orders from a shell. Talks to the running proxy over its API, and knows nothing of its insides."""
