"""Settings of the catalog, in addition to those of every service."""

from pydantic import PositiveFloat, PositiveInt, SecretStr

from stockbuddy.chassis.runtime.settings import JobSettings, ReadReplicaSettings


class CatalogSettings(ReadReplicaSettings, JobSettings):
    """`image_store` is a directory, which serves one machine, or `s3://bucket/prefix`. `s3_endpoint_url`: a store other
    than Amazon's. Without S3 keys, those of the environment or of the machine's role are used. `read_pool_size`:
    connections for lists and look-ups, in addition to `database_pool_size`. After `import_lease_seconds` without a
    renewal, another replica continues an import."""

    image_store: str = ".stockbuddy/images"
    s3_endpoint_url: str | None = None
    s3_region: str = "us-east-1"
    s3_access_key_id: str | None = None
    s3_secret_access_key: SecretStr | None = None
    import_lease_seconds: PositiveFloat = 30
    read_pool_size: PositiveInt = 8
