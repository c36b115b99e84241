"""Documents that move or reserve stock, and the people and money around them."""
