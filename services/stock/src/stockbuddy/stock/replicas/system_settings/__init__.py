"""The copy of the system's settings: what the stock goes by where nothing closer says otherwise."""
