"""What lay where at a past moment: closing balances of each day, and the movements after them."""
