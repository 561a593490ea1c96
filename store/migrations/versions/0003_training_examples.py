"""What the DPO corrects at the desk is kept for the classifier to learn from, sealed with its case."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Corrections made before this are not gone back to: the journal does not say which message each was about."""
    op.create_table(
        "training_example",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=True),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("decision_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("decided_at", UTCDateTime(), nullable=False),
        sa.Column("decided_by", AutoString(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["sealing_key.id"], name=op.f("fk_training_example_key_id")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_training_example_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_example")),
        sa.UniqueConstraint("message_id", name=op.f("uq_training_example_message_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("training_example", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_training_example_decided_at"), ["decided_at"], unique=False)


def downgrade() -> None:
    """Forget what was learned from: the keys of masked copies go too, so that no backup opens them."""
    op.execute(
        "UPDATE sealing_key SET wrapped = NULL "
        "WHERE id IN (SELECT key_id FROM training_example WHERE message_id IS NULL)"
    )
    op.drop_table("training_example")
