"""Barcodes as pictures, to print."""
