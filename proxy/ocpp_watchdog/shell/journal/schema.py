"""The tables of the facts. What changes here needs a migration; a test holds both against each other.

Moments stand as two columns: ``_utc`` POSIX seconds, ``_mono`` seconds of the clock that never jumps (of the process
that wrote the row). Transaction ids are text: charge points invent ids no database integer holds.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

HEAD = "0001"
"""The newest migration."""

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMES)


def _moment(name: str, *, known: bool = True) -> list[Column[float]]:
    return [Column(f"{name}_{clock}", Double, nullable=not known) for clock in ("utc", "mono")]


def _id() -> Column[int]:
    return Column("id", Integer, primary_key=True)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


sessions = Table(
    "sessions",
    metadata,
    _id(),
    Column("session", Text, nullable=False, unique=True),
    _text("charge_point"),
    _text("peer"),
    *_moment("began"),
    *_moment("ended", known=False),
    _text("reason"),
    Index(None, "charge_point", "began_utc"),
)

orders = Table(
    "orders",
    metadata,
    _id(),
    _text("charge_point"),
    Column("connector", Integer),
    _text("unique_id"),
    _text("action"),
    *_moment("requested"),
    _text("text"),
    Column("amperes", Double),
    Column("watts", Double),
    _text("answer"),
    *_moment("answered", known=False),
    _text("answer_text"),
    UniqueConstraint("charge_point", "requested_utc", "unique_id"),
)

transactions = Table(
    "transactions",
    metadata,
    _id(),
    _text("charge_point"),
    Column("connector", Integer, nullable=False),
    *_moment("started"),
    Column("transaction_id", Text),
    _text("id_tag"),
    Column("answered", Boolean, nullable=False),
    *_moment("stopped", known=False),
    _text("reason"),
    UniqueConstraint("charge_point", "connector", "started_utc"),
)

samples = Table(
    "samples",
    metadata,
    _id(),
    _text("charge_point"),
    Column("connector", Integer, nullable=False),
    *_moment("at"),
    Column("timestamp", Double),
    _text("verdict"),
    _text("context"),
    Column("transaction_id", Text),
    Column("amperes_1", Double),
    Column("amperes_2", Double),
    Column("amperes_3", Double),
    Column("amperes", Double),
    Column("watts", Double),
    Column("watt_hours", Double),
    Index(None, "charge_point", "connector", "at_utc"),
)

episodes = Table(
    "episodes",
    metadata,
    _id(),
    _text("charge_point"),
    Column("connector", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    *_moment("opened"),
    *_moment("ordered"),
    _text("order_text"),
    _text("answer"),
    Column("deadline_mono", Double),
    Column("alarm_only", Boolean, nullable=False),
    Column("remote_start_seen", Boolean, nullable=False),
    Column("transaction_ended", Boolean, nullable=False),
    Column("energy_wh", Double),
    Column("energy_is_integrated", Boolean, nullable=False),
    *_moment("ended", known=False),
    _text("ending"),
    _text("evidence"),
    _text("schedule_evidence"),
    _text("schedule_text"),
    UniqueConstraint("charge_point", "connector", "opened_utc"),
)

steps = Table(
    "steps",
    metadata,
    _id(),
    _text("charge_point"),
    Column("connector", Integer, nullable=False),
    Column("episode_opened_utc", Double),
    *_moment("at"),
    _text("kind"),
    _text("outcome"),
    *_moment("decided"),
    *_moment("sent", known=False),
    Column("transaction_id", Text),
    _text("unique_id"),
    _text("why"),
    Column("forced", Boolean, nullable=False),
    Index(None, "charge_point", "connector", "at_utc"),
)

owner_actions = Table(
    "owner_actions",
    metadata,
    _id(),
    _text("charge_point"),
    Column("connector", Integer),
    *_moment("at"),
    _text("text"),
    _text("who"),
    Index(None, "charge_point", "at_utc"),
)

notes = Table(
    "notes",
    metadata,
    _id(),
    _text("charge_point"),
    Column("connector", Integer),
    *_moment("at"),
    _text("kind"),
    _text("text"),
    Index(None, "charge_point", "at_utc"),
)

memory = Table(
    "memory",
    metadata,
    Column("charge_point", Text, primary_key=True),
    Column("at_utc", Double, nullable=False),
    _text("text"),
)

version = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""As alembic itself makes it: which migration a database stands at."""
