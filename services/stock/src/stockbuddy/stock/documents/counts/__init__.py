"""Stock counts: expected quantities are snapshotted, counted ones entered, and the differences posted on approval."""
