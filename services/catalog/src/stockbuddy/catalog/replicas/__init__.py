"""The read copy of stock."""
