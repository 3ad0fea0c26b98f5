from __future__ import annotations

from ocpp_watchdog.core.remote_starts import MOST_WAITING, RemoteStart, RemoteStarts
from ocpp_watchdog.core.terms import WHOLE_CHARGE_POINT, ConnectorId
from profile_examples import amperes, tx

ONE, TWO = ConnectorId(1), ConnectorId(2)


def waiting(key: str = "a", connector: ConnectorId | None = ONE, id_tag: str = "TAG") -> RemoteStarts:
    starts = RemoteStarts()
    starts.requested(key, connector, id_tag, tx(6.0))
    return starts


def test_start_is_handed_out_once() -> None:
    starts = waiting()
    assert starts.take(ONE, "OTHER") == RemoteStart("a", ONE, "TAG", tx(6.0), accepted=False)
    assert starts.take(ONE, "OTHER") is None


def test_connector_decides_when_it_was_named() -> None:
    assert waiting().take(TWO, "TAG") is None


def test_id_tag_decides_when_no_connector_was_named() -> None:
    starts = waiting(connector=None)
    assert starts.take(ONE, "OTHER") is None
    assert starts.take(TWO, "TAG") is not None


def test_newest_that_fits_wins_and_older_ones_are_void() -> None:
    starts = waiting()
    starts.requested("b", None, "TAG", tx(7.0))
    starts.requested("c", TWO, "TAG", tx(8.0))
    found = starts.take(ONE, "TAG")
    assert found is not None
    assert found.key == "b"
    assert starts.take(ONE, "TAG") is None
    assert starts.take(TWO, "") is not None


def test_only_a_tx_profile_waits() -> None:
    starts = RemoteStarts()
    starts.requested("a", ONE, "TAG", None)
    starts.requested("b", ONE, "TAG", amperes(6.0))
    assert starts.take(ONE, "TAG") is None


def test_accepted_start_is_known_as_accepted() -> None:
    starts = waiting()
    starts.requested("b", TWO, "TAG", tx(6.0))
    starts.answered("a", accepted=True)
    starts.answered("unknown", accepted=True)
    first, second = starts.take(ONE, ""), starts.take(TWO, "")
    assert first is not None
    assert first.accepted
    assert second is not None
    assert not second.accepted


def test_refused_start_does_not_wait() -> None:
    starts = waiting()
    starts.answered("a", accepted=False)
    assert starts.take(ONE, "TAG") is None


def test_repeated_key_means_the_newer_start() -> None:
    starts = waiting()
    starts.requested("a", TWO, "TAG", tx(6.0))
    assert starts.take(ONE, "TAG") is None
    assert starts.take(TWO, "TAG") is not None


def test_connector_that_becomes_available_ends_the_waiting() -> None:
    starts = waiting()
    starts.available(WHOLE_CHARGE_POINT)
    starts.available(TWO)
    assert starts.take(ONE, "TAG") is not None
    starts = waiting()
    starts.available(ONE)
    assert starts.take(ONE, "TAG") is None


def test_start_without_connector_ends_with_any_connector_that_becomes_available() -> None:
    starts = waiting(connector=None)
    starts.available(WHOLE_CHARGE_POINT)
    starts.available(TWO)
    assert starts.take(ONE, "TAG") is None


def test_boot_ends_the_waiting() -> None:
    starts = waiting()
    starts.forget()
    assert starts.take(ONE, "TAG") is None


def test_oldest_is_forgotten_when_too_many_wait() -> None:
    starts = RemoteStarts()
    for number in range(MOST_WAITING + 1):
        starts.requested(f"{number}", ConnectorId(number + 1), "TAG", tx(6.0))
    assert starts.take(ConnectorId(1), "TAG") is None
    assert starts.take(ConnectorId(2), "TAG") is not None
