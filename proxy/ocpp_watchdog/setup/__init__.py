"""init, doctor and healthcheck: they look, and change nothing but the file that init writes."""
