"""The way to the services: one port, over the network or straight into the same process."""
