"""Alembic's entrance: runs migrations on the engine the program already opened, all of them in one transaction."""

from alembic import context
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

import store.models  # noqa: F401  (fills the metadata)

engine = context.config.attributes["engine"]
is_sqlite = engine.dialect.name == "sqlite"
with engine.connect() as connection:
    driver = connection.connection.driver_connection
    if is_sqlite:
        # To change a table, SQLite needs it rebuilt, which enforced foreign keys would refuse. The pragma has no
        # effect inside a transaction, and SQLAlchemy would begin one: so it goes straight to the driver.
        driver.execute("PRAGMA foreign_keys=OFF")
    try:
        # The transaction is ours: Alembic's own would commit each migration by itself on SQLite.
        with connection.begin():
            context.configure(connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True)
            context.run_migrations()
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first() if is_sqlite else None
            if broken is not None:
                raise IntegrityError("migration", None, ValueError(f"a row of {broken[0]} would point nowhere"))
    finally:
        if is_sqlite:
            driver.execute("PRAGMA foreign_keys=ON")
