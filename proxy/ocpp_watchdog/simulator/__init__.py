"""Peers to try the proxy on: a charge point with switchable faults, a stand-in for evcc.

They share no code with the proxy, so that they do not share its mistakes.
"""
