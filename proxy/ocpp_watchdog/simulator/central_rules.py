"""What evcc's OCPP library demands of the payloads a charge point sends, as tables.

Field names are the wire's; Go's names of the same fields are needed because evcc quotes them in its answers.
"""

# The ocpp package ships without types.
# mypy: disable-error-code="import-untyped"

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ocpp.v16 import enums

Kind = Literal["string", "int", "float64", "time", "list", "object", "any"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One field. ``longest``: characters; ``least``: a number or a list length, ``above`` instead excludes the bound
    itself; ``choice``: (allowed words, the name of evcc's check); ``inner``: rules of an object or of a list's items;
    ``struct``: Go's name of that inner object."""

    name: str
    kind: Kind = "string"
    required: bool = False
    longest: int | None = None
    least: int | None = None
    above: int | None = None
    choice: tuple[frozenset[str], str] | None = None
    inner: tuple[Rule, ...] = ()
    struct: str = ""
    go_name: str = ""

    @property
    def go(self) -> str:
        """Go's name of the field."""
        return self.go_name or self.name[0].upper() + self.name[1:]


def _words(enum: type[enums.StrEnum], check: str) -> tuple[frozenset[str], str]:
    return frozenset(str(word.value) for word in enum), check


_TAG = Rule("idTag", required=True, longest=20)
_TIME = Rule("timestamp", "time", required=True)
_SAMPLE = (
    Rule("value", required=True),
    Rule("context", choice=_words(enums.ReadingContext, "readingContext16")),
    Rule("format", choice=_words(enums.ValueFormat, "valueFormat")),
    Rule("measurand", choice=_words(enums.Measurand, "measurand16")),
    Rule("phase", choice=_words(enums.Phase, "phase16")),
    Rule("location", choice=_words(enums.Location, "location16")),
    Rule("unit", choice=_words(enums.UnitOfMeasure, "unitOfMeasure")),
)
_METER_VALUE = (_TIME, Rule("sampledValue", "list", required=True, inner=_SAMPLE, struct="SampledValue"))

TO_CENTRAL_SYSTEM: dict[str, tuple[Rule, ...]] = {
    "Authorize": (_TAG,),
    "BootNotification": (
        Rule("chargeBoxSerialNumber", longest=25),
        Rule("chargePointModel", required=True, longest=20),
        Rule("chargePointSerialNumber", longest=25),
        Rule("chargePointVendor", required=True, longest=20),
        Rule("firmwareVersion", longest=50),
        Rule("iccid", longest=20),
        Rule("imsi", longest=20),
        Rule("meterSerialNumber", longest=25),
        Rule("meterType", longest=25),
    ),
    "DataTransfer": (
        Rule("vendorId", required=True, longest=255),
        Rule("messageId", longest=50),
        Rule("data", "any"),
    ),
    "DiagnosticsStatusNotification": (
        Rule("status", required=True, choice=_words(enums.DiagnosticsStatus, "diagnosticsStatus")),
    ),
    "FirmwareStatusNotification": (
        Rule("status", required=True, choice=_words(enums.FirmwareStatus, "firmwareStatus16")),
    ),
    "Heartbeat": (),
    "MeterValues": (
        Rule("connectorId", "int", least=0),
        Rule("transactionId", "int"),
        Rule("meterValue", "list", required=True, least=1, inner=_METER_VALUE, struct="MeterValue"),
    ),
    "SecurityEventNotification": (Rule("type", required=True, longest=50), _TIME, Rule("techInfo", longest=255)),
    "SignCertificate": (Rule("csr", required=True, longest=5500, go_name="CSR"),),
    "StartTransaction": (
        Rule("connectorId", "int", above=0),
        _TAG,
        Rule("meterStart", "int"),
        Rule("reservationId", "int"),
        _TIME,
    ),
    "StatusNotification": (
        Rule("connectorId", "int", least=0),
        Rule("errorCode", required=True, choice=_words(enums.ChargePointErrorCode, "chargePointErrorCode")),
        Rule("info", longest=50),
        Rule("status", required=True, choice=_words(enums.ChargePointStatus, "chargePointStatus")),
        Rule("timestamp", "time"),
        Rule("vendorId", longest=255),
        Rule("vendorErrorCode", longest=50),
    ),
    "StopTransaction": (
        Rule("idTag", longest=20),
        Rule("meterStop", "int"),
        _TIME,
        Rule("transactionId", "int"),
        Rule("reason", choice=_words(enums.Reason, "reason")),
        Rule("transactionData", "list", inner=_METER_VALUE, struct="MeterValue"),
    ),
}
"""What a charge point may send; an action that is not here is unknown to evcc."""

TO_CHARGE_POINT: dict[str, tuple[Rule, ...]] = {
    "CancelReservation": (Rule("reservationId", "int"),),
    "ChangeAvailability": (Rule("connectorId", "int", least=0), Rule("type", required=True)),
    "ChangeConfiguration": (Rule("key", required=True, longest=50), Rule("value", required=True, longest=500)),
    "ClearCache": (),
    "ClearChargingProfile": (),
    "GetCompositeSchedule": (Rule("connectorId", "int", least=0), Rule("duration", "int", least=0)),
    "GetConfiguration": (),
    "GetDiagnostics": (Rule("location", required=True),),
    "GetLocalListVersion": (),
    "RemoteStartTransaction": (Rule("connectorId", "int"), _TAG),
    "RemoteStopTransaction": (Rule("transactionId", "int"),),
    "ReserveNow": (Rule("connectorId", "int", least=0), Rule("expiryDate", "time", required=True), _TAG),
    "Reset": (Rule("type", required=True),),
    "SendLocalList": (Rule("listVersion", "int", least=0), Rule("updateType", required=True)),
    "SetChargingProfile": (
        Rule("connectorId", "int", least=0),
        Rule("csChargingProfiles", "object", required=True, go_name="ChargingProfile"),
    ),
    "TriggerMessage": (Rule("requestedMessage", required=True), Rule("connectorId", "int")),
    "UnlockConnector": (Rule("connectorId", "int", above=0),),
    "UpdateFirmware": (Rule("location", required=True), Rule("retrieveDate", "time", required=True)),
}
"""What only a central system sends: refused, but only when the payload is right."""

PACKAGES = {
    "SecurityEventNotification": "security",
    "SignCertificate": "security",
    "DiagnosticsStatusNotification": "firmware",
    "FirmwareStatusNotification": "firmware",
    "GetDiagnostics": "firmware",
    "UpdateFirmware": "firmware",
    "SetChargingProfile": "smartcharging",
    "ClearChargingProfile": "smartcharging",
    "GetCompositeSchedule": "smartcharging",
    "TriggerMessage": "remotetrigger",
    "GetLocalListVersion": "localauth",
    "SendLocalList": "localauth",
    "ReserveNow": "reservation",
    "CancelReservation": "reservation",
}
"""The Go package of an action's request, where it is not ``core``."""

ANSWER_STATUSES: dict[str, frozenset[str]] = {
    "ChangeAvailability": frozenset({"Accepted", "Rejected", "Scheduled"}),
    "ChangeConfiguration": frozenset({"Accepted", "Rejected", "RebootRequired", "NotSupported"}),
    "GetCompositeSchedule": frozenset({"Accepted", "Rejected"}),
    "RemoteStartTransaction": frozenset({"Accepted", "Rejected"}),
    "RemoteStopTransaction": frozenset({"Accepted", "Rejected"}),
    "SetChargingProfile": frozenset({"Accepted", "Rejected", "NotSupported"}),
    "TriggerMessage": frozenset({"Accepted", "Rejected", "NotImplemented"}),
}
"""The statuses evcc accepts in answers to its CALLs; GetConfiguration has none."""

ERROR_CODES = frozenset(
    {
        "NotImplemented",
        "NotSupported",
        "InternalError",
        "ProtocolError",
        "SecurityError",
        "FormationViolation",
        "PropertyConstraintViolation",
        "OccurenceConstraintViolation",
        "OccurrenceConstraintViolation",
        "TypeConstraintViolation",
        "GenericError",
        "MessageTypeNotSupported",
    }
)
"""The CALLERROR codes evcc knows."""
