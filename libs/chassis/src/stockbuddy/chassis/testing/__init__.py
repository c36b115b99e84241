"""Real servers, migrated databases and virtual hosts for tests; `plugin` offers them as pytest fixtures."""
