"""Stock levels: the quantities of a product in a warehouse and lot. For listing them see insights/levels."""
