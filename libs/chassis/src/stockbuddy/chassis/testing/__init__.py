"""Real servers, migrated databases and virtual hosts for tests; `plugin` provides them as pytest fixtures."""
