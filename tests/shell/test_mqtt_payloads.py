"""What goes to the broker, without one: names of topics, texts, and the announcement by Home Assistant's rules."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ocpp_watchdog.core.decisions import (
    Ending,
    Finding,
    FindingKind,
    NoticeKind,
    Notify,
    Phase,
    Severity,
    StationView,
)
from ocpp_watchdog.core.terms import ChargePointId, ConnectorId
from ocpp_watchdog.shell.mqtt.board import Board, Place
from ocpp_watchdog.shell.mqtt.discovery import EVENT_TYPES, OF_OURSELVES, Announcement
from ocpp_watchdog.shell.mqtt.payloads import connector_state, episode_state, event, reading_state, station_state
from ocpp_watchdog.shell.mqtt.topics import Command, Order, Topics, node
from ocpp_watchdog.shell.notify.message import of_notice
from ocpp_watchdog.texts.catalogue import NOTICES, Language
from ocpp_watchdog.texts.ways import TITLES
from views import ORDERED, connector_view, episode_view, reading, station_view, step_record

SCHEMA = json.loads((Path(__file__).parent / "home_assistant_device.schema.json").read_text("utf-8"))
TOPICS = Topics("ocpp-watchdog", "homeassistant")
NOW = ORDERED.later(43.0)


def announcement(**changes: Any) -> Announcement:
    return replace(Announcement(TOPICS, Language.EN, 300.0, "9.9.9"), **changes)


def check(message: object) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(message)


def sent(board: Board, *seen: StationView, now: Any = NOW) -> dict[str, Place]:
    """Everything that is to be sent after this was seen, by topic."""
    for view in seen:
        board.see(view, now)
    found = {}
    while (place := board.next()) is not None:
        found[place.topic] = place
    return found


# -- topics --------------------------------------------------------------------------------------------------------


@given(st.text(min_size=1))
@example("a/b+#$%_")
@example("\ud800")
def test_an_id_is_one_harmless_level_and_comes_back_as_it_was(charge_point: str) -> None:
    topic = TOPICS.order(charge_point, 7, Order.STOP_NOW)
    assert topic.count("/") == 4
    assert not set(topic) & set("+#\0")
    topic.encode()
    found = TOPICS.command(topic, "PRESS")
    assert found is not None
    assert found.charge_point == charge_point.encode("utf-8", "replace").decode()
    assert (found.order, found.connector) == (Order.STOP_NOW, 7)
    kept = (TOPICS.charge_point(charge_point), TOPICS.connector(charge_point, 1, "episode"))
    assert {TOPICS.charge_point_of(topic) for topic in kept} == {found.charge_point}
    assert TOPICS.charge_point_of(TOPICS.connector(charge_point, 1, "reading")) is None
    assert node(charge_point).replace("_", "").replace("-", "").isalnum()
    assert node(charge_point).isascii()


@given(st.text(alphabet="aA_-5f%/ é", min_size=1), st.text(alphabet="aA_-5f%/ é", min_size=1))
def test_two_ids_never_meet(one: str, other: str) -> None:
    assert (node(one) == node(other)) == (one == other)
    assert (TOPICS.below(one) == TOPICS.below(other)) == (one == other)


@pytest.mark.parametrize(
    ("topic", "payload", "command"),
    [
        ("ocpp-watchdog/box/1/stand_down/set", "PRESS", Command(Order.STAND_DOWN, "box", 1, "PRESS")),
        ("ocpp-watchdog/box/maintenance/set", "OFF", Command(Order.MAINTENANCE, "box", None, "OFF")),
        ("ocpp-watchdog/test_alarm/set", "PRESS", Command(Order.TEST_ALARM, "", None, "PRESS")),
        ("ocpp-watchdog/box/1/stand_down/set", "OFF", None),
        ("ocpp-watchdog/box/1/stand_down/set", "", None),
        ("ocpp-watchdog/box/maintenance/set", "PRESS", None),
        ("ocpp-watchdog/box/x/stop_now/set", "PRESS", None),
        ("ocpp-watchdog/box/-1/stop_now/set", "PRESS", None),
        ("ocpp-watchdog/box/²/stop_now/set", "PRESS", None),
        ("ocpp-watchdog/box/1/maintenance/set", "ON", None),
        ("ocpp-watchdog/box/1/stop_now", "PRESS", None),
        ("elsewhere/box/1/stop_now/set", "PRESS", None),
        ("ocpp-watchdog", "PRESS", None),
    ],
)
def test_only_what_is_meant_is_an_order(topic: str, payload: str, command: Command | None) -> None:
    assert TOPICS.command(topic, payload) == command


def test_without_a_discovery_prefix_nothing_is_announced() -> None:
    topics = Topics("p", None)
    board = Board(announcement(topics=topics))
    board.see_ourselves()
    found = sent(board, station_view(connector_view()))
    assert {topic.partition("/")[0] for topic in found} == {"p"}
    assert topics.birth is None


# -- the announcement ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", Language)
def test_the_announcement_is_as_home_assistant_wants_it(language: Language) -> None:
    own = announcement(language=language)
    seen = station_view(vendor="ACTEC", model="EV-AC22K", firmware="V1.17.9")
    for connectors in ((1,), (1, 2)):
        check(own.device(seen, connectors))
    check(own.device(station_view(charge_point=ChargePointId("\ud800/\n")), (1,)))
    check(own.ourselves())


@pytest.mark.parametrize(
    "broken",
    [
        lambda message: message.pop("origin"),
        lambda message: message["device"].pop("identifiers"),
        lambda message: message["components"]["1_ordered"].pop("unique_id"),
        lambda message: message["components"]["1_ordered"].pop("platform"),
        lambda message: message["components"]["1_ordered"].update(device_class="amperes"),
        lambda message: message["components"]["event"].pop("event_types"),
        lambda message: message["components"]["event"].update(expire_after=3),
        lambda message: message["components"]["1_stop_now"].pop("command_topic"),
        lambda message: message["components"]["1_stop_now"].update(command_topic="a/+/b"),
        lambda message: message["components"]["1_phase"].update(unit_of_measurement="A"),
    ],
)
def test_the_schema_would_find_a_mistake(broken: Any) -> None:
    message = announcement().device(station_view(), (1,))
    broken(message)
    with pytest.raises(jsonschema.ValidationError):
        check(message)


def test_every_entity_has_an_id_of_its_own_and_a_name() -> None:
    found: list[Any] = []
    for charge_point in ("box", "box-1", "box_1"):
        message: Any = announcement().device(station_view(charge_point=ChargePointId(charge_point)), (1, 2))
        found += message["components"].values()
    ids = [entity["unique_id"] for entity in found]
    assert len(ids) == len(set(ids)) == 3 * (3 + 2 * 12)
    names = [entity["name"] for entity in found[:27]]
    assert len(names) == len(set(names)), "one device's entities can be told apart"
    assert "Ordered current (connector 2)" in names


def test_readings_expire_and_verdicts_do_not() -> None:
    message: Any = announcement(expire_seconds=42.0).device(station_view(), (1,))
    expiring = {key for key, entity in message["components"].items() if "expire_after" in entity}
    assert expiring == {"1_current_l1", "1_current_l2", "1_current_l3", "1_current", "1_power"}
    assert message["components"]["1_power"]["expire_after"] == 42


def test_every_template_names_what_its_topic_holds() -> None:
    view = station_view(connector_view())
    board = Board(announcement())
    held = {topic: place.text for topic, place in sent(board, view).items()}
    message: Any = json.loads(held["homeassistant/device/ocpp_watchdog_box/config"])
    looked_up = 0
    for entity in message["components"].values():
        if template := entity.get("value_template"):
            name = template.removeprefix("{{ value_json.").removesuffix(" }}")
            assert name in json.loads(held[entity["state_topic"]]), name
            looked_up += 1
        if topic := entity.get("json_attributes_topic"):
            assert json.loads(held[topic])["is_open"] is True
    assert looked_up == 12


def test_every_notice_there_is_may_be_an_event() -> None:
    kinds = {kind for kind in NOTICES if kind in TITLES} | set(NoticeKind)
    assert kinds <= set(EVENT_TYPES)
    assert {"test_alarm", "degraded", "undelivered"} <= set(OF_OURSELVES)


# -- what is said --------------------------------------------------------------------------------------------------


def test_an_ignored_stop_is_said_and_unknown_is_null() -> None:
    state = connector_state(connector_view())
    assert (state["stop_ignored"], state["ordered_amperes"], state["phase"]) == ("ON", 0.0, "violating")
    closed = episode_view(ended=NOW, ending=Ending.OBEYED)
    assert connector_state(connector_view(episode=closed))["stop_ignored"] == "OFF"
    blank = connector_state(connector_view(episode=None, commanded=None, in_force=None))
    assert (blank["stop_ignored"], blank["ordered_amperes"], blank["in_force_amperes"]) == ("OFF", None, None)
    assert episode_state(closed)["ending"] == "obeyed"
    assert reading_state(reading(power=float("nan")), NOW)["power"] is None


def test_all_findings_together_are_short_enough_for_a_state() -> None:
    every = tuple(Finding(kind, Severity.WARNING) for kind in FindingKind)
    assert len(str(connector_state(connector_view(findings=every))["findings"])) <= 255
    assert connector_state(connector_view(findings=()))["findings"] == "-"


def test_the_options_of_the_verdict_are_all_phases() -> None:
    message: Any = announcement().device(station_view(), (1,))
    assert message["components"]["1_phase"]["options"] == [str(phase) for phase in Phase]


def test_a_charge_point_cannot_forge_lines() -> None:
    state = station_state(station_view(vendor="a\nb\ud800", model="x" * 3))
    assert state["vendor"] == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}"
    json.dumps(state).encode()


def test_a_notice_is_an_event_with_its_sentence() -> None:
    notice = Notify(NoticeKind.ALARM, Severity.CRITICAL, ConnectorId(1), NOW, episode_view(steps=(step_record(),)))
    message = of_notice("box", notice)
    said = event(message.body, message.text[Language.DE])
    assert (said["event_type"], said["connector"], said["charge_point"]) == ("alarm", 1, "box")
    assert "Ladestopp" in str(said["text"])


# -- the board -----------------------------------------------------------------------------------------------------


def test_only_what_changed_is_sent_and_only_the_newest_waits() -> None:
    board = Board(announcement())
    view = station_view(connector_view())
    first = sent(board, view)
    assert next(iter(first)).startswith("homeassistant/"), "a device is announced before its states are said"
    assert sent(board, view, now=NOW.later(100.0)) == {}
    more = [station_view(connector_view(episodes_total=number)) for number in range(50)]
    found = sent(board, *more)
    assert list(found) == ["ocpp-watchdog/box/1/state"]
    assert json.loads(found["ocpp-watchdog/box/1/state"].text)["episodes"] == 49


def test_a_reading_is_not_kept_and_not_told_again_when_it_is_old() -> None:
    board, view = Board(announcement()), station_view(connector_view())
    topic = "ocpp-watchdog/box/1/reading"
    assert not sent(board, view)[topic].is_retained
    board.repeat()
    assert topic in sent(board, view, now=NOW.later(299.0))
    board.repeat()
    assert topic not in sent(board, view, now=NOW.later(301.0))


def test_a_charge_point_that_said_nothing_yet_has_its_first_connector() -> None:
    found = sent(Board(announcement()), station_view())
    message: Any = json.loads(found["homeassistant/device/ocpp_watchdog_box/config"].text)
    check(message)
    assert "1_ordered" in message["components"]


def test_what_is_forgotten_is_taken_away_and_nothing_of_it_waits() -> None:
    board, view = Board(announcement()), station_view(connector_view())
    sent(board, view)
    board.see(station_view(connector_view(episodes_total=9)), NOW)
    board.forget("box")
    found = sent(board)
    assert all(place.text == "" and place.is_retained for place in found.values())
    assert set(found) == {
        "homeassistant/device/ocpp_watchdog_box/config",
        *(f"ocpp-watchdog/box/{rest}" for rest in ("state", "1/state", "1/episode")),
    }
    assert board.charge_points == frozenset()
    assert list(sent(board, view)), "and comes back when it comes back"


def test_what_an_earlier_life_announced_can_be_taken_away() -> None:
    board = Board(announcement())
    board.remember("other", "ocpp-watchdog/other/2/episode")
    board.see_ourselves()
    board.clear()
    assert set(sent(board)) == {
        "homeassistant/device/ocpp_watchdog_/config",
        "homeassistant/device/ocpp_watchdog_other/config",
        "ocpp-watchdog/other/state",
        "ocpp-watchdog/other/2/episode",
    }


def test_what_changed_and_changed_back_before_it_was_sent_is_not_sent() -> None:
    board, view = Board(announcement()), station_view(connector_view())
    sent(board, view)
    assert sent(board, station_view(connector_view(episodes_total=9)), view) == {}


def test_a_second_connector_and_a_new_firmware_are_announced() -> None:
    board, view = Board(announcement()), station_view(connector_view())
    sent(board, view)
    topic = "homeassistant/device/ocpp_watchdog_box/config"
    assert topic in sent(board, replace(view, firmware="2"))
    both = (connector_view(), connector_view(connector=ConnectorId(2)))
    found = sent(board, station_view(*both, firmware="2"))
    assert "2_ordered" in json.loads(found[topic].text)["components"]
