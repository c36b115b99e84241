"""Serves the web console: its page for every path of a browser, its files, and the progress of its build."""
