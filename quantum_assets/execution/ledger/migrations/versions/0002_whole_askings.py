"""What was asked for at once is known to each ticket of it, and breakers count failures of jobs on their own."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add two counts; what was written before has none."""
    op.add_column("tickets", sa.Column("asked_shots", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("breakers", sa.Column("failed_jobs", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Take both away."""
    op.drop_column("breakers", "failed_jobs")
    op.drop_column("tickets", "asked_shots")
