"""How much, where and why: the ledger and every document that moves it."""
