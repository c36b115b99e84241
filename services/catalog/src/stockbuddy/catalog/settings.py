"""The catalogue's own settings, beside those that every service shares."""

from pydantic import PositiveFloat, PositiveInt

from stockbuddy.chassis.runtime.settings import ServiceSettings


class CatalogSettings(ServiceSettings):
    """`image_store` is a directory or `s3://bucket/prefix`; `s3_endpoint_url` names a store other than Amazon's, and
    without keys those of the environment or the machine's role are taken. A directory serves one machine; replicas on
    several need S3. `reader_pool_size` connections, beside the shared ones, serve lists and look-ups. An import whose
    runner was silent for `import_lease_seconds` is taken over by another."""

    image_store: str = ".stockbuddy/images"
    s3_endpoint_url: str | None = None
    s3_region: str = "us-east-1"
    s3_access_key_id: str | None = None
    s3_secret_access_key: str | None = None
    import_lease_seconds: PositiveFloat = 30
    reader_pool_size: PositiveInt = 8
