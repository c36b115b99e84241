"""The release that this process runs."""

VERSION = "0.1.0"
"""That of every member of the workspace (docs/releasing.md); members are not installed as packages, which would have
it in their metadata."""
