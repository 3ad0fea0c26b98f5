"""Parts made from settings, and what parts are told of them. Who joins them is ``app``."""

from __future__ import annotations

import importlib.util
import ssl
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ocpp_watchdog.core.frames import Loads
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.setting_kinds import AUTO, OFF, is_loopback, split_address
from ocpp_watchdog.settings import BadSettingError, Settings, state_folder
from ocpp_watchdog.shell.notify.callout import CallOutSettings
from ocpp_watchdog.shell.relay import RelaySettings
from ocpp_watchdog.shell.tally import Tally
from ocpp_watchdog.shell.timekeeping import Time
from ocpp_watchdog.shell.web.gate import AdminAccess

if TYPE_CHECKING:
    from ocpp_watchdog.shell.journal.journal import Journal

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class Policies:
    """Policies of the settings in effect. All charge points without settings of their own have the same: it is made
    once, and not anew for each of thousands that reconnect at once."""

    def __init__(self) -> None:
        self._common: tuple[Settings, Policy] | None = None

    def of(self, charge_point: str, settings: Settings) -> Policy:
        """The policy of this charge point by these settings."""
        if charge_point in settings.charge_points:
            return settings.policy(charge_point)
        if self._common is None or self._common[0] is not settings:
            self._common = (settings, settings.policy(charge_point))
        return self._common[1]


def relay_settings(settings: Settings) -> RelaySettings:
    """What the relay is told. Raises BadSettingError when a certificate cannot be used."""
    host, port = split_address(settings.listen)
    listed = {
        name: None if own.password is None else own.password.get_secret_value()
        for name, own in settings.charge_points.items()
    }
    return RelaySettings(
        central_system=settings.central_system,
        host=host,
        port=port,
        server_tls=_server_tls(settings),
        client_tls=_client_tls(settings),
        connect_timeout=settings.connect_timeout,
        max_message=settings.max_message,
        stall=settings.stall,
        admitted=listed or None,
    )


def call_settings(settings: Settings) -> CallOutSettings:
    """Who is called by the step external."""
    external = settings.ladder.external
    url = "" if external.url is None else external.url.get_secret_value()
    return CallOutSettings(url, external.try_seconds, external.give_up_seconds)


def journal_place(settings: Settings) -> tuple[str, Path] | None:
    """URL of the facts and folder of the frames; None when nothing is kept."""
    url = settings.journal.get_secret_value()
    if url == OFF:
        return None
    state = state_folder()
    file = state / "journal.db" if url == AUTO else _sqlite_file(url)
    frames = settings.frames or (state if file is None else file.parent) / "frames"
    return (url if url != AUTO else f"sqlite:///{file}"), frames


def new_journal(settings: Settings, clock: Time, tally: Tally, loads: Loads) -> Journal | None:
    """The journal, None when it is off. Raises BadSettingError when its database cannot be spoken to."""
    place = journal_place(settings)
    if place is None:
        return None
    if place[0].startswith("postgresql") and importlib.util.find_spec("psycopg") is None:
        raise BadSettingError("journal: needs the extra postgresql (pip install 'ocpp-watchdog[postgresql]')")
    # Half a second and ten megabytes: not for whoever goes without.
    from ocpp_watchdog.shell.journal.journal import Journal, JournalSettings
    from ocpp_watchdog.shell.journal.keeping import Retention

    keep = settings.keep
    retention = Retention(keep.frames_days, keep.frames_bytes, keep.episodes_days)
    return Journal(JournalSettings(*place, retention), clock, tally, loads)


def _sqlite_file(url: str) -> Path | None:
    scheme, _, path = url.partition(":///")
    return Path(path) if scheme == "sqlite" else None


def admin_access(settings: Settings) -> AdminAccess:
    """Who may look at the pages."""
    host, _ = split_address(settings.admin.listen)
    names = LOOPBACK_NAMES.union(name.lower() for name in settings.admin.allowed_hosts)
    password = settings.admin.password
    return AdminAccess(
        allowed_hosts=names if is_loopback(host) else None,
        password=None if password is None else password.get_secret_value(),
        trusted_proxy=settings.admin.trusted_proxy,
    )


def _server_tls(settings: Settings) -> ssl.SSLContext | None:
    tls = settings.tls
    if tls.certificate is None or tls.key is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(tls.certificate, tls.key)
    except (OSError, ssl.SSLError) as error:
        raise BadSettingError(f"tls.certificate: cannot be used ({error.strerror or error})") from None
    return context


def _client_tls(settings: Settings) -> ssl.SSLContext | None:
    if urlsplit(settings.central_system).scheme != "wss":
        return None
    try:
        return ssl.create_default_context(cafile=settings.central_system_tls.ca)
    except (OSError, ssl.SSLError) as error:
        raise BadSettingError(f"central_system_tls.ca: cannot be used ({error.strerror or error})") from None
