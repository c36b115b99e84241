"""A database schema per service: engine, migrations, roles and maintenance."""
