"""Responses that are kept until the data that they were read from changes (ADR 43).

A route is declared as cached (`cached`). Each of its requests asks the database, with one statement, whether a kept
response is still current; the cache itself never decides this, so whatever it returns or loses, no response is older
than its request.
"""
