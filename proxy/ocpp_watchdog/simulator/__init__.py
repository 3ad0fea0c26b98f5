"""Peers to try the proxy on: a charge point with switchable faults, a stand-in for evcc. Shares no code with the proxy."""
