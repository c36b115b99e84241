"""Loads the workspace's fixtures, after the installed plugins so that ours win over anyio's, and sets what Hypothesis
tries: the same in every run, except with `--hypothesis-profile=random`."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["stockbuddy.chassis.testing.plugin"]

# No result depends on the speed of the machine.
UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("repeatable", UNTIMED, derandomize=True)
settings.register_profile("random", UNTIMED, max_examples=1000)
settings.load_profile("repeatable")
