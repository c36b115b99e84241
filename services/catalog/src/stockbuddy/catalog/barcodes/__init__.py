"""Barcodes as SVG, for printing."""
