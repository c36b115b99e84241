"""Sales, their returns and voids."""
