"""Categories: where a product belongs; they nest."""
