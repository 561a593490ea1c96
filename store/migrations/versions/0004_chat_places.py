"""Rooms, messages and accounts of a platform that names them by words are given numbers."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table of numbers."""
    op.create_table(
        "chat_place",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("name_hash", AutoString(), nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("noted_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["sealing_key.id"], name=op.f("fk_chat_place_key_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_place")),
        sa.UniqueConstraint("name_hash", name=op.f("uq_chat_place_name_hash")),
    )


def downgrade() -> None:
    """Forget the numbers: what they stood for is written to no more."""
    op.drop_table("chat_place")
