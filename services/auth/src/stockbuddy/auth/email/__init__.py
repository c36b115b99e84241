"""E-mails to users: the queue, the texts, and the worker that sends them."""
