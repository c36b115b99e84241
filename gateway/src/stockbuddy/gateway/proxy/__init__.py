"""The proxy: forwards requests to the services, over the network or in the same process."""
