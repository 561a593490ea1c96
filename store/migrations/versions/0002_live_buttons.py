"""Buttons know the message and the state of the case they were shown with; desk users may link their chat by a code."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Buttons that exist already belong to no message: they say so when pressed, and the card is asked for again."""
    with op.batch_alter_table("button", schema=None) as batch_op:
        batch_op.add_column(sa.Column("chat_message_id", sa.BigInteger(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("seen", sa.Integer(), nullable=True))
    op.create_table(
        "desk_link",
        sa.Column("user_key", AutoString(), nullable=False),
        sa.Column("channel", AutoString(), nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("account_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("account_hash", AutoString(), nullable=False),
        sa.Column("linked_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["sealing_key.id"], name=op.f("fk_desk_link_key_id")),
        sa.PrimaryKeyConstraint("user_key", "channel", name=op.f("pk_desk_link")),
        sa.UniqueConstraint("account_hash", name=op.f("uq_desk_link_account_hash")),
    )


def downgrade() -> None:
    """Forget links and what buttons were shown with."""
    op.drop_table("desk_link")
    with op.batch_alter_table("button", schema=None) as batch_op:
        batch_op.drop_column("seen")
        batch_op.drop_column("chat_message_id")
