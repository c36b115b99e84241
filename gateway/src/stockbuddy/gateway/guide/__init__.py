"""`/guide`: the guide for developers and operators, rendered from docs/ without internet access."""
