"""The command `stockbuddy`. Requires `stockbuddy-client[cli]`."""
