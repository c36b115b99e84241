"""Loads the workspace's fixtures, after the installed plugins so that ours win over anyio's."""

pytest_plugins = ["stockbuddy.chassis.testing.plugin"]
