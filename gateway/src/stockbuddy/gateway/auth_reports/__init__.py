"""What auth is told beside the requests, which never wait for it: whom the gateway turned away, and who was there."""
