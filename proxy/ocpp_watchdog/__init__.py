"""A transparent OCPP 1.6J proxy that notices when an ordered stop is ignored, and stops the transaction itself."""

__version__ = "0.1.0"
