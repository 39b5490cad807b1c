"""A report's warning in a column of its own, so that tables of many reports can show it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from autograder.storage import types

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.add_column("grade_reports", sa.Column("warning", types.Text(), nullable=False, server_default=sa.text("''")))
    reports = sa.table("grade_reports", sa.column("warning", types.Text()), sa.column("detail", sa.JSON()))
    told = reports.c.detail["warning"].as_string()
    op.execute(reports.update().where(told.is_not(None), told != "").values(warning=told))


def downgrade() -> None:
    """Take it back; the words stay in no other place."""
    op.drop_column("grade_reports", "warning")
