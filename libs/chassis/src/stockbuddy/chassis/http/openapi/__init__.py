"""The OpenAPI document of a service: what FastAPI generates, completed from the routes and from texts.

`document` assembles it; `problems` has the error responses, `headers` the headers, `texts` the descriptions.
"""
