"""Notifications by e-mail: queue, texts and sender."""
