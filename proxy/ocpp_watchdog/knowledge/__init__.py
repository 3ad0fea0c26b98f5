"""What is known about devices: facts as data with their sources, and a pure matcher. Knows the core alone."""
