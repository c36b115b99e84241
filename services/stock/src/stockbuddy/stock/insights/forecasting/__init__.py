"""What will be asked for: forecast from what was, for products that sell on few days too."""
