"""What the proxy serves to people and to Prometheus. Reads, and changes nothing."""
