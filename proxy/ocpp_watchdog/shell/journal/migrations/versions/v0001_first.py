"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _moment(name: str, *, known: bool = True) -> list[sa.Column[float]]:
    return [sa.Column(f"{name}_{clock}", sa.Double, nullable=not known) for clock in ("utc", "mono")]


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def _id(table: str) -> list[sa.Column[int] | sa.PrimaryKeyConstraint]:
    return [sa.Column("id", sa.Integer, nullable=False), sa.PrimaryKeyConstraint("id", name=f"pk_{table}")]


def _connector(*, known: bool = True) -> sa.Column[int]:
    return sa.Column("connector", sa.Integer, nullable=not known)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False)


def _number(*names: str) -> list[sa.Column[float]]:
    return [sa.Column(name, sa.Double) for name in names]


def upgrade() -> None:
    """Everything."""
    _connections()
    _judged()
    _rest()


def _connections() -> None:
    op.create_table(
        "sessions",
        *_id("sessions"),
        sa.Column("session", sa.Text, nullable=False),
        _text("charge_point"),
        _text("peer"),
        *_moment("began"),
        *_moment("ended", known=False),
        _text("reason"),
        sa.UniqueConstraint("session", name="uq_sessions_session"),
    )
    op.create_index("ix_sessions_charge_point_began_utc", "sessions", ["charge_point", "began_utc"])
    op.create_table(
        "orders",
        *_id("orders"),
        _text("charge_point"),
        _connector(known=False),
        _text("unique_id"),
        _text("action"),
        *_moment("requested"),
        _text("text"),
        *_number("amperes", "watts"),
        _text("answer"),
        *_moment("answered", known=False),
        _text("answer_text"),
        sa.UniqueConstraint(
            "charge_point", "requested_utc", "unique_id", name="uq_orders_charge_point_requested_utc_unique_id"
        ),
    )
    op.create_table(
        "transactions",
        *_id("transactions"),
        _text("charge_point"),
        _connector(),
        *_moment("started"),
        sa.Column("transaction_id", sa.Text),
        _text("id_tag"),
        _flag("answered"),
        *_moment("stopped", known=False),
        _text("reason"),
        sa.UniqueConstraint(
            "charge_point", "connector", "started_utc", name="uq_transactions_charge_point_connector_started_utc"
        ),
    )


def _judged() -> None:
    op.create_table(
        "samples",
        *_id("samples"),
        _text("charge_point"),
        _connector(),
        *_moment("at"),
        *_number("timestamp"),
        _text("verdict"),
        _text("context"),
        sa.Column("transaction_id", sa.Text),
        *_number("amperes_1", "amperes_2", "amperes_3", "amperes", "watts", "watt_hours"),
    )
    op.create_index("ix_samples_charge_point_connector_at_utc", "samples", ["charge_point", "connector", "at_utc"])
    op.create_table(
        "episodes",
        *_id("episodes"),
        _text("charge_point"),
        _connector(),
        sa.Column("number", sa.Integer, nullable=False),
        *_moment("opened"),
        *_moment("ordered"),
        _text("order_text"),
        _text("answer"),
        *_number("deadline_mono"),
        _flag("alarm_only"),
        _flag("remote_start_seen"),
        _flag("transaction_ended"),
        *_number("energy_wh"),
        _flag("energy_is_integrated"),
        *_moment("ended", known=False),
        _text("ending"),
        _text("evidence"),
        _text("schedule_evidence"),
        _text("schedule_text"),
        sa.UniqueConstraint(
            "charge_point", "connector", "opened_utc", name="uq_episodes_charge_point_connector_opened_utc"
        ),
    )
    op.create_table(
        "steps",
        *_id("steps"),
        _text("charge_point"),
        _connector(),
        *_number("episode_opened_utc"),
        *_moment("at"),
        _text("kind"),
        _text("outcome"),
        *_moment("decided"),
        *_moment("sent", known=False),
        sa.Column("transaction_id", sa.Text),
        _text("unique_id"),
        _text("why"),
        _flag("forced"),
    )
    op.create_index("ix_steps_charge_point_connector_at_utc", "steps", ["charge_point", "connector", "at_utc"])


def _rest() -> None:
    for table, *words in (("owner_actions", "text", "who"), ("notes", "kind", "text")):
        op.create_table(
            table,
            *_id(table),
            _text("charge_point"),
            _connector(known=False),
            *_moment("at"),
            *(_text(word) for word in words),
        )
        op.create_index(f"ix_{table}_charge_point_at_utc", table, ["charge_point", "at_utc"])
    op.create_table(
        "memory",
        sa.Column("charge_point", sa.Text, nullable=False),
        sa.Column("at_utc", sa.Double, nullable=False),
        _text("text"),
        sa.PrimaryKeyConstraint("charge_point", name="pk_memory"),
    )
