"""Numbers as charge points write them -> floats, and their canonical decimal text. Knows no units and no measurands."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

Figure = tuple[float, str]
"""A number and its canonical decimal text: no sign but minus, no leading or trailing zeros, no exponent."""

LONGEST = 40
_MAGNITUDE = 20
_AROUND = " \t\r\n\0"


def figure(value: str | float, shift: int = 0) -> Figure | None:
    """Read a number, times ten to the power ``shift``; None when it is none.

    Text may have blanks around it, a plus, an exponent, a decimal comma (no thousands separators). What is infinite,
    1e21 or more, or longer than 40 characters is no number.
    """
    if not isinstance(value, str):
        return _figure_of_text(repr(value), shift) if abs(value) < 1e20 else None
    # Nearly every value takes this short way; whatever looks odd takes the other one, which judges for itself.
    if not shift and len(value) < 16 and value.isascii() and value.replace(".", "", 1).isdigit():
        if "." not in value:
            if value[0] != "0" or value == "0":
                return float(value), value
        elif value[0] not in "0." or value[:2] == "0.":
            return float(value), value.rstrip("0").rstrip(".")
    return _figure_of_text(value.strip(_AROUND), shift)


def _figure_of_text(text: str, shift: int) -> Figure | None:
    if len(text) > LONGEST or not text.isascii() or "_" in text:
        return None
    if text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if not number.is_finite() or number.adjusted() > _MAGNITUDE:
        return None
    if not number or number.adjusted() < -_MAGNITUDE:
        return 0.0, "0"
    number = number.scaleb(shift)
    digits = f"{number:f}"
    return float(number), digits.rstrip("0").rstrip(".") if "." in digits else digits


_STEPS = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)


def step(digits: str) -> float:
    """The largest power of ten, from 0.001 to 1000, that divides a number written canonically."""
    places = len(digits.partition(".")[2])
    if places:
        return _STEPS[max(3 - places, 0)]
    zeros = len(digits) - len(digits.rstrip("0"))
    return _STEPS[6] if digits == "0" else _STEPS[3 + min(zeros, 3)]
