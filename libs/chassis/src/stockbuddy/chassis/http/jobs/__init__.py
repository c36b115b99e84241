"""Jobs: requests for reports and exports that a client lets a service answer later (`Prefer: respond-async`).

A job stores the request and its caller. A worker of the service calls the route again as that caller, and stores the
response for a day.
"""
