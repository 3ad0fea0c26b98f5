"""Settings of the doors: who may look at the pages, and TLS on both sides. Nothing here reads anything."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, model_validator

from ocpp_watchdog.setting_kinds import Address, Ip, Section


class Admin(Section):
    """Page with metrics and health."""

    listen: Address = Field(
        default="127.0.0.1:8891",
        description="address of metrics and health; loopback unless a password or trusted_proxy is set",
    )
    allowed_hosts: tuple[str, ...] = Field(default=(), description="further names in the Host header")
    password: SecretStr | None = Field(default=None, description="asked for (any user name) on everything but health")
    trusted_proxy: Ip | None = Field(
        default=None, description="address of a reverse proxy that asks who it is; it is let in without the password"
    )


class Tls(Section):
    """TLS for charge points: both files or none."""

    certificate: Path | None = Field(
        default=None, description="PEM file with the chain; charge points then dial wss://"
    )
    key: Path | None = Field(default=None, description="PEM file with the private key")

    @model_validator(mode="after")
    def _both(self) -> Tls:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together")
        return self


class CentralSystemTls(Section):
    """TLS towards the central system; the certificate is always verified."""

    ca: Path | None = Field(default=None, description="PEM file with an own certificate authority for wss://")
