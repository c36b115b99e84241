"""Lists of stock levels, current or at a past moment, with incoming quantities from purchase orders and transfers."""
