"""The demo shop: sample data in which every report has something to show, created through the public API."""
