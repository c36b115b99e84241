"""The one description of the API, put together from what the services say of themselves, and its pages."""
