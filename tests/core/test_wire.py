"""Frames as bytes: measured, read and built as RFC 6455 §5 says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp_watchdog.core import wire

KEY = bytes((0x37, 0xFA, 0x21, 0x3D))


def test_the_masked_hello_of_the_rfc_is_read():
    masked_hello = bytes.fromhex("818537fa213d7f9f4d5158")
    assert wire.measure(masked_hello, 0) == (6, 5)
    assert wire.payload_of(masked_hello) == b"Hello"


def test_the_unmasked_hello_of_the_rfc_is_built():
    assert wire.frame(wire.TEXT, b"Hello", None) == bytes.fromhex("810548656c6c6f")


def test_the_masked_hello_of_the_rfc_is_built():
    assert wire.frame(wire.TEXT, b"Hello", KEY) == bytes.fromhex("818537fa213d7f9f4d5158")


def test_a_message_in_two_fragments_is_read_whole():
    assert wire.payload_of(bytes.fromhex("010348656c") + bytes.fromhex("80026c6f")) == b"Hello"


def test_fragments_with_different_keys_are_read_whole():
    first = bytes((0x01, 0x83)) + KEY + wire.apply_mask(b"Hel", KEY)
    second = bytes((0x80, 0x82)) + b"abcd" + wire.apply_mask(b"lo", b"abcd")
    assert wire.payload_of(bytearray(first + second)) == b"Hello"


def test_no_frames_have_no_payload():
    assert wire.payload_of(b"") == b""


@pytest.mark.parametrize("limit", [0, 1, 3, 4, 5, 9])
def test_only_the_beginning_is_unmasked_when_a_limit_is_given(limit):
    frames = wire.frame(wire.TEXT, b"Hel", KEY) + wire.frame(wire.CONTINUATION, b"lo", None)
    assert wire.payload_of(frames, limit) == b"Hello"[:limit]


@pytest.mark.parametrize(
    ("head", "needed"),
    [
        (b"", 2),
        (b"\x81", 2),
        (b"\x81\x7e", 4),
        (b"\x81\x7e\x01", 4),
        (b"\x81\x7f" + b"\0" * 7, 10),
        (b"\x81\xfe\x01", 4),
    ],
)
def test_a_cut_head_says_how_much_is_needed(head, needed):
    assert wire.measure(head, 0) == (0, needed)


@pytest.mark.parametrize(
    ("head", "measured"),
    [
        (b"\x81\x00", (2, 0)),
        (b"\x81\x7d", (2, 125)),
        (b"\x81\x80", (6, 0)),
        (b"\x81\x7e\x00\x7e", (4, 126)),
        (b"\x81\xfe\xff\xff", (8, 65535)),
        (b"\x81\x7f" + (1 << 40).to_bytes(8, "big"), (10, 1 << 40)),
        (b"\x81\xff" + (1 << 63).to_bytes(8, "big"), (14, 1 << 63)),
    ],
)
def test_the_announced_length_is_read_before_the_payload_is_there(head, measured):
    assert wire.measure(head, 0) == measured
    assert wire.measure(b"xxx" + head, 3) == measured


@given(payload=st.binary(max_size=300), key=st.binary(min_size=4, max_size=4))
def test_masking_twice_gives_the_payload_back(payload, key):
    masked = wire.apply_mask(payload, key)
    assert masked == bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))
    assert wire.apply_mask(masked, key) == payload


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 70000])
@pytest.mark.parametrize("key", [None, KEY, b"\0\0\0\0"])
def test_a_frame_of_any_size_is_built_and_read(size, key):
    payload = bytes(at % 251 for at in range(size))
    built = wire.frame(wire.BINARY, payload, key)
    head, length = wire.measure(built, 0)
    assert built[0] == wire.FIN | wire.BINARY
    assert bool(built[1] & wire.MASKED) is (key is not None)
    assert (head + length, length) == (len(built), size)
    assert wire.payload_of(built) == payload


@pytest.mark.parametrize("size", [0, 1, 95, 96, 97, 125, 126, 127, 70000])
@pytest.mark.parametrize("key", [None, KEY, b"\0\0\0\0", b"\xff\xff\xff\xff"])
def test_the_beginning_of_a_frame_is_the_beginning_of_its_payload(size, key):
    payload = bytes(at % 251 for at in range(size))
    assert wire.beginning(wire.frame(wire.TEXT, payload, key)) == payload[: wire.BEGINNING]


def test_a_length_takes_the_shortest_form():
    assert wire.measure(wire.frame(wire.TEXT, b"x" * 125, None), 0)[0] == 2
    assert wire.measure(wire.frame(wire.TEXT, b"x" * 126, None), 0)[0] == 4
    assert wire.measure(wire.frame(wire.TEXT, b"x" * 65536, None), 0)[0] == 10


def test_a_close_carries_code_and_reason():
    payload = wire.close_payload(1012, "service restart")
    assert payload == b"\x03\xf4service restart"
    assert wire.close_code(payload) == 1012


def test_a_reason_that_is_too_long_is_cut_at_a_character():
    payload = wire.close_payload(1009, "ä" * 100)
    assert payload[2:] == ("ä" * 61).encode()
    assert len(payload) <= 125


@pytest.mark.parametrize("payload", [b"", b"\x03"])
def test_a_close_without_a_code_has_none(payload):
    assert wire.close_code(payload) is None
