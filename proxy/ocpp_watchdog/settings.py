"""The only reader of environment and files: frozen values, checked once at start.

One YAML file, over it the environment (``OCPP_WATCHDOG_`` and ``__`` between levels), over it the flags. An unknown key
is an error: a misspelt setting that silently does nothing is worse than a proxy that does not start.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import (
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from ocpp_watchdog.core.decisions import Mode, StepKind
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.repairs import Repairs
from ocpp_watchdog.each_once import EachOnce
from ocpp_watchdog.setting_doors import Admin, CentralSystemTls, Tls
from ocpp_watchdog.setting_kinds import (
    AUTO,
    OFF,
    Address,
    Budget,
    Id,
    Journal,
    JournalUrl,
    MoreAmperes,
    MoreShare,
    MoreWatts,
    Seconds,
    Section,
    Spacing,
    WebSocketUrl,
    ZeroAmperes,
    ZeroWatts,
    is_loopback,
    split_address,
)
from ocpp_watchdog.setting_ladder import Ladder, LadderOverrides
from ocpp_watchdog.setting_repairs import RepairsOn
from ocpp_watchdog.setting_ways import Apprise, Heartbeat, Mqtt, Ntfy, Webhook
from ocpp_watchdog.texts.catalogue import Language

ENV_PREFIX = "OCPP_WATCHDOG_"
CONFIG_VARIABLE = ENV_PREFIX + "CONFIG"
USUAL_FILES = (Path("ocpp-watchdog.yaml"), Path("/etc/ocpp-watchdog/ocpp-watchdog.yaml"))
EX_CONFIG = 78
REASONS = {
    "Extra inputs are not permitted": "there is no such setting",
    "Field required": "must be given",
    "Input should be a valid dictionary": "must hold settings by name",
    "Input should be a valid tuple": "must be a list",
    "Input should be a valid string": "must be text",
}


NO_REPAIRS = Repairs()
NO_NUMBERS = frozenset[str]()


class BadSettingError(Exception):
    """A setting that cannot be used. Its text is one line that names the setting, and never its value."""


# -- sections ----------------------------------------------------------------------------------------------------


class Judge(Section):
    """How strict the judge is. Seconds, amperes and watts as the names say; the rules give the defaults."""

    settle_seconds: Seconds = Field(default=30.0, description="time a stop may take to show, after its answer")
    raise_settle_seconds: Seconds = Field(default=90.0, description="time a raise may take to show")
    zero_amperes: ZeroAmperes = Field(default=1.0, description="current that still counts as none")
    zero_watts: ZeroWatts = Field(default=200.0, description="power that still counts as none")
    tolerance_amperes: MoreAmperes = Field(default=1.0, description="allowed above a limit, amperes")
    tolerance_watts: MoreWatts = Field(default=200.0, description="allowed above a limit, watts")
    tolerance_share: MoreShare = Field(default=0.08, description="allowed above a limit, share of it")
    remote_stop_budget: Budget = Field(default=3, description="RemoteStopTransaction per window and connector")
    remote_stop_window_seconds: Seconds = Field(default=900.0, description="the window of that budget")
    remote_stop_spacing_seconds: Spacing = Field(default=30.0, description="shortest time between two of them")
    reminder_seconds: Seconds = Field(default=900.0, description="time between reminders when every step is used up")
    may_question: bool = Field(default=True, description="ask a silent charge point for readings (TriggerMessage)")


class JudgeOverrides(Section):
    """The same numbers for one charge point; what is left out is taken from `judge`."""

    settle_seconds: Seconds | None = None
    raise_settle_seconds: Seconds | None = None
    zero_amperes: ZeroAmperes | None = None
    zero_watts: ZeroWatts | None = None
    tolerance_amperes: MoreAmperes | None = None
    tolerance_watts: MoreWatts | None = None
    tolerance_share: MoreShare | None = None
    remote_stop_budget: Budget | None = None
    remote_stop_window_seconds: Seconds | None = None
    remote_stop_spacing_seconds: Spacing | None = None
    reminder_seconds: Seconds | None = None
    may_question: bool | None = None


class ChargePoint(Section):
    """One charge point by its id (the last part of its address, as it writes it)."""

    password: SecretStr | None = Field(default=None, description="what it must give (HTTP Basic); passed on unchanged")
    mode: Mode | None = Field(default=None, description="its own mode")
    judge: JudgeOverrides = Field(default_factory=JudgeOverrides, description="its own numbers")
    repairs: RepairsOn | None = Field(default=None, description="what is mended for it; off")
    ladder: LadderOverrides = Field(default_factory=LadderOverrides, description="its own steps")


class Keep(Section):
    """How long the journal keeps what."""

    frames_days: int = Field(default=30, ge=1, le=3_650, description="days a frame is kept")
    frames_bytes: int = Field(
        default=1024**3, ge=1024**2, le=1024**4, description="bytes of all kept frames; the oldest go first"
    )
    episodes_days: int = Field(
        default=365, ge=1, le=3_650, description="days an episode is kept, with the frames of its days"
    )


class Log(Section):
    """What is written to standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="least important line")
    format: Literal["text", "json"] = Field(default="text", description="text for people, json for machines")


# -- the whole ---------------------------------------------------------------------------------------------------


class Settings(BaseSettings):
    """Everything the proxy is told."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, allow_inf_nan=False
    )

    config: Path | None = Field(default=None, description="the settings file", exclude=True)
    listen: Address = Field(default="0.0.0.0:8890", description="where charge points dial")
    central_system: WebSocketUrl = Field(default="ws://127.0.0.1:8887", description="evcc")
    mode: Mode = Field(default=Mode.ENFORCE, description="enforce acts on an ignored stop, observe only speaks")
    language: Language = Field(default=Language.EN, description="language of messages to people: de or en")
    connect_timeout: Seconds = Field(default=10.0, description="longest time for dialling the central system")
    max_message: int = Field(
        default=4 * 1024 * 1024, ge=65_536, le=16 * 1024 * 1024, description="bytes of the largest message"
    )
    stall: Seconds = Field(default=45.0, description="a reader that takes nothing for so long ends the session")
    charge_points: dict[Id, ChargePoint] = Field(default_factory=dict, description="admitted ids; empty: any")
    admin: Admin = Field(default_factory=Admin)
    tls: Tls = Field(default_factory=Tls)
    central_system_tls: CentralSystemTls = Field(default_factory=CentralSystemTls)
    judge: Judge = Field(default_factory=Judge)
    ladder: Ladder = Field(default=Ladder())
    webhook: Webhook = Field(default=Webhook())
    ntfy: Ntfy = Field(default=Ntfy())
    apprise: Apprise = Field(default=Apprise())
    heartbeat: Heartbeat = Field(default=Heartbeat())
    mqtt: Mqtt = Field(default=Mqtt())
    log: Log = Field(default_factory=Log)
    journal: Journal = Field(
        default=JournalUrl(AUTO), description="facts: auto (SQLite in the state folder), off, or the URL of a database"
    )
    frames: Path | None = Field(default=None, description="folder of the recorded frames; by default beside the facts")
    keep: Keep = Field(default_factory=Keep)

    _flags: dict[str, Any] = PrivateAttr(default_factory=dict)

    def __init__(self, **flags: Any) -> None:
        super().__init__(**flags)
        self._flags = flags

    @model_validator(mode="after")
    def _reachable_only_with_password(self) -> Settings:
        host, _ = split_address(self.admin.listen)
        if not is_loopback(host) and self.admin.password is None and self.admin.trusted_proxy is None:
            raise ValueError(
                "admin.listen: not a loopback address, so admin.password or admin.trusted_proxy must be set"
            )
        if not is_loopback(host) and is_loopback(self.admin.trusted_proxy or host):
            raise ValueError("admin.trusted_proxy: is on this machine, so admin.listen must be a loopback address")
        return self

    @model_validator(mode="after")
    def _somebody_to_be_called(self) -> Settings:
        ladders = [self.ladder.steps, *(own.ladder.steps or () for own in self.charge_points.values())]
        if self.ladder.external.url is None and any(StepKind.EXTERNAL in steps for steps in ladders):
            raise ValueError("ladder.external.url: must be given, since the step external is wanted")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags over environment over file."""
        flags = init_settings.init_kwargs if isinstance(init_settings, InitSettingsSource) else {}
        _refuse_unknown_variables(settings_cls)
        values = _file_values(config_path(flags))
        return init_settings, env_settings, InitSettingsSource(settings_cls, init_kwargs=values)

    @property
    def flags(self) -> Mapping[str, Any]:
        """What was given at construction, that is on the command line: to load the same again on reload."""
        return self._flags

    def repairs(self, charge_point: str) -> Repairs:
        """What is repaired between one charge point and the central system."""
        own = self.charge_points.get(charge_point)
        return NO_REPAIRS if own is None or own.repairs is None else own.repairs.values()

    def owners_numbers(self, charge_point: str) -> frozenset[str]:
        """Names of the judge's numbers that the owner set for this very charge point: knowledge leaves them alone."""
        own = self.charge_points.get(charge_point)
        if own is None:
            return NO_NUMBERS
        names = {*own.judge.model_dump(exclude_none=True), *own.ladder.model_dump(exclude_none=True)}
        return frozenset("ladder" if name == "steps" else name for name in names)

    def policy(self, charge_point: str) -> Policy:
        """The judge's policy for one charge point."""
        own = self.charge_points.get(charge_point, ChargePoint())
        numbers = self.judge.model_dump() | own.judge.model_dump(exclude_none=True)
        ladder = self.ladder.model_dump(exclude={"external"}) | own.ladder.model_dump(exclude_none=True)
        return Policy(mode=own.mode or self.mode, ladder=ladder.pop("steps"), **ladder, **numbers)


def load(**flags: Any) -> Settings:
    """The settings as flags, environment and file say. Raises BadSettingError."""
    try:
        return Settings(**flags)
    except ValidationError as error:
        raise BadSettingError(one_line(error)) from None
    except SettingsError as error:
        raise BadSettingError(str(error).partition("\n")[0]) from None


class GivenAlone(BaseSettings):
    """Values that the program itself names; neither environment nor file is read."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given at construction, alone."""
        return (init_settings,)


class _Fixed(GivenAlone, Settings):
    """Settings of a program that reads nothing from its machine, nor writes to it unless it is told where."""

    journal: Journal = JournalUrl(OFF)


def fixed(**values: Any) -> Settings:
    """Settings from these values and defaults alone: neither environment nor file is read (demo, trials)."""
    return _Fixed(**values)


def check(values: Mapping[str, Any]) -> Settings:
    """Settings from these values as from a file, and nothing else. Raises BadSettingError."""
    try:
        return fixed(**values)
    except ValidationError as error:
        raise BadSettingError(one_line(error)) from None


def one_line(error: ValidationError, verb: str = "") -> str:
    """Every bad setting with its reason; values are left out, for they may be secret. verb: stripped from names."""
    below = verb.replace("-", "_")
    return "; ".join(dict.fromkeys(_named(below, problem["loc"], problem["msg"]) for problem in error.errors()))


def _named(verb: str, place: Sequence[int | str], message: str) -> str:
    steps = [str(step) for step in place if step != "[key]"]
    name = ".".join(steps[1:] if verb and steps[:1] == [verb] else steps)
    reason = REASONS.get(message, message.removeprefix("Value error, "))
    return f"{name}: {reason}" if name else reason


# -- sources -----------------------------------------------------------------------------------------------------


def state_folder() -> Path:
    """Where this program may keep things: what systemd gives, else root's place, else the user's own."""
    given = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if given:
        return Path(given)
    if os.geteuid() == 0:
        return Path("/var/lib/ocpp-watchdog")
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "ocpp-watchdog"


def config_path(flags: Mapping[str, Any]) -> Path | None:
    """The settings file: flag, then environment, then the usual places; None when there is none."""
    named = flags.get("config") or os.environ.get(CONFIG_VARIABLE)
    if named:
        return Path(named)
    return next((path for path in USUAL_FILES if path.is_file()), None)


def _file_values(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        values = yaml.load(path.read_text("utf-8"), EachOnce)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise BadSettingError(f"{path}{line}: not YAML ({error.problem})") from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise BadSettingError(
            f"{path}: cannot be read ({getattr(error, 'strerror', None) or 'not UTF-8 text'})"
        ) from None
    if values is None:
        return {}
    if not isinstance(values, dict) or "config" in values:
        raise BadSettingError(f"{path}: must hold settings by name, and not the name of a file")
    return {name: value for name, value in values.items() if value is not None}


def _refuse_unknown_variables(settings_cls: type[BaseSettings]) -> None:
    known = {name.upper() for name in settings_cls.model_fields}
    for variable in sorted(os.environ):
        name = variable.upper().removeprefix(ENV_PREFIX)
        if name != variable.upper() and name.partition("__")[0] not in known:
            raise BadSettingError(f"{variable}: there is no such setting")


def sources_of(settings: Settings) -> list[tuple[str, Mapping[str, Any]]]:
    """What each place says, the strongest first: flag, environment, and the file by its name."""
    path = config_path(settings.flags)
    return [
        ("flag", settings.flags),
        ("environment", EnvSettingsSource(Settings)()),
        (str(path), _file_values(path)),
    ]


def supervision() -> tuple[str | None, float | None]:
    """Where the service manager that started this process listens, and how often it wants a sign of life, seconds."""
    interval, process = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    is_meant = interval.isdecimal() and int(interval) > 0 and process in ("", str(os.getpid()))
    return os.environ.get("NOTIFY_SOCKET") or None, int(interval) / 1e6 if is_meant else None
