from stockbuddy.chassis.migrations import run_environment

run_environment()
