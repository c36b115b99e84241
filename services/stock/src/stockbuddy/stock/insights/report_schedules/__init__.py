"""Reports that are produced on a schedule and announced by e-mail."""
