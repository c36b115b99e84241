"""Stock counts: what is expected is frozen, what is counted is entered, and the differences are posted."""
