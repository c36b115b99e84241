"""Past stock levels: closing balances per day, maintained in the background, plus the movements after them."""
