"""The ways to people that the settings name, and the verb that tries each of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pydantic import SecretStr

from ocpp_watchdog import __version__
from ocpp_watchdog.bridging import once_by_mqtt
from ocpp_watchdog.setting_ways import Delivery as DeliverySettings
from ocpp_watchdog.settings import BadSettingError, Settings
from ocpp_watchdog.shell.clock import Clock
from ocpp_watchdog.shell.notify.apprise import Apprise, BadUrlError, NotInstalledError, target
from ocpp_watchdog.shell.notify.heartbeat import Beat
from ocpp_watchdog.shell.notify.message import of_ourselves
from ocpp_watchdog.shell.notify.ntfy import Ntfy
from ocpp_watchdog.shell.notify.sending import NotTakenError, RefusedError, Sender, request
from ocpp_watchdog.shell.notify.way import Delivery
from ocpp_watchdog.shell.notify.webhook import Webhook
from ocpp_watchdog.texts.catalogue import Language
from ocpp_watchdog.texts.ways import TRIALS

HEARTBEAT = "heartbeat"


def deliveries(settings: Settings) -> list[Delivery]:
    """Every way that is configured. Raises BadSettingError for a URL that apprise cannot use, or without apprise."""
    found = []
    hook, ntfy = settings.webhook, settings.ntfy
    if hook.url is not None:
        found.append(_delivery("webhook", Webhook(hook.url.get_secret_value()), hook))
    if ntfy.url is not None:
        token = None if ntfy.token is None else ntfy.token.get_secret_value()
        found.append(_delivery("ntfy", Ntfy(ntfy.url.get_secret_value(), settings.language, token), ntfy))
    for number, url in enumerate(settings.apprise.urls, 1):
        found.append(_delivery(f"apprise-{number}", _apprise(number, url, settings), settings.apprise))
    return found


def beat(settings: Settings) -> Beat:
    """The heartbeat, url None when there is none."""
    heart = settings.heartbeat
    return Beat(None if heart.url is None else heart.url.get_secret_value(), heart.every_seconds, heart.try_seconds)


async def trial(settings: Settings, say: Callable[[str], None]) -> bool:
    """Send a test alarm by each way, once, and say what became of it; True when each took it.

    The address of the heartbeat is fetched, too. Raises BadSettingError.
    """
    message = of_ourselves("test_alarm", Clock().now().utc, None)
    found, language = [*deliveries(settings), *once_by_mqtt(settings, __version__)], settings.language
    results = [await _tried(way.name, way.sender.send(message, way.try_seconds), language, say) for way in found]
    heart = beat(settings)
    if heart.url is not None:
        results.append(await _tried(HEARTBEAT, request("GET", heart.url, heart.try_seconds), language, say))
    say(TRIALS["look" if found else "none"](language))
    return bool(found) and all(results)


async def _tried(name: str, sending: Awaitable[None], language: Language, say: Callable[[str], None]) -> bool:
    try:
        await sending
    except (NotTakenError, RefusedError) as reason:
        say(TRIALS["failed"](language, way=name, reason=str(reason)))
        return False
    say(TRIALS["delivered"](language, way=name))
    return True


def _delivery(name: str, sender: Sender, how: DeliverySettings) -> Delivery:
    return Delivery(name, sender, how.try_seconds, how.give_up_seconds, how.queue)


def _apprise(number: int, url: SecretStr, settings: Settings) -> Apprise:
    try:
        return target(url.get_secret_value(), settings.language)
    except NotInstalledError:
        raise BadSettingError("apprise.urls: apprise is missing: pip install 'ocpp-watchdog[apprise]'") from None
    except BadUrlError:
        raise BadSettingError(f"apprise.urls: apprise cannot use number {number}") from None
