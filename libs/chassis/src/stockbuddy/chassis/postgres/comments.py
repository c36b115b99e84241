"""Comments on tables and columns, for migrations and for the chassis' own tables."""

from collections.abc import Iterator, Mapping

Comments = Mapping[str, Mapping[str, str]]
"""Table → column → comment; the empty column name is the table itself."""

CHASSIS_COMMENTS: Comments = {
    "outbox_shard": {
        "": "Shards of the outbox; a relay locks a row while it publishes the events of that shard.",
        "shard": "Number of the shard; an event belongs to the shard of its partition key.",
    },
    "outbox_chunk": {
        "": "Committed events, in chunks of one transaction and shard: unsent, or sent within the last 7 days (the "
        "archive, replayed into a queue that was lost). View of single events: outbox_event.",
        "id": "Order of publication within the shard.",
        "shard": "Shard of the events' partition keys.",
        "events": "Number of events.",
        "types": "Type of each event, separated by spaces.",
        "body": "The events as a CloudEvents JSON batch, one per line, each with its data last.",
        "created_at": "When the events were inserted; decides the partition.",
        "sent_at": "When the bus confirmed the events; null before.",
    },
    "outbox_group": {
        "": "Consumer groups that this service publishes to; a group of a later release is first sent the archive.",
        "name": "Consumer group (name of its queue).",
    },
    "outbox_dead": {
        "": "Events that the broker refuses for good, kept for an operator (dead-letters list, retry).",
        "event_id": "CloudEvents id (UUIDv7).",
        "routing_key": "Event type.",
        "headers": "CloudEvents attributes.",
        "payload": "Data of the event.",
        "partition_key": "Subject of the event.",
        "shard": "Shard of the partition key.",
        "error": "Why the event was refused.",
        "created_at": "When the event was inserted into the outbox.",
        "failed_at": "When the relay moved the event here.",
    },
    "inbox": {
        "": "Messages by consumer group, kept for at least 30 days, so that a redelivered one has no second effect.",
        "consumer": "Consumer group (name of its queue).",
        "event_id": "CloudEvents id of the message (UUIDv7); its time decides the partition.",
        "status": "done, retry (a later attempt is due), parked (predecessor missing) or dead (for an operator).",
        "partition_key": "Partition key of the message; completing one wakes the parked ones with the same key.",
        "attempts": "Number of failed attempts.",
        "next_attempt_at": "When the message is due again; also the end of the lease of a running attempt.",
        "last_error": "Error of the last attempt.",
        "message": "The message itself, while it is not done.",
        "created_at": "When the message was first received.",
        "updated_at": "When the row last changed.",
    },
    "idempotency_key": {
        "": "Idempotency keys of accepted requests with their stored responses, kept for at least 8 days. Those of "
        "earlier periods of 4 days are in tables that inherit from this one.",
        "caller": "Credential that the idempotency key belongs to: id of the user, or key:<id of the API key>.",
        "key": "Value of the Idempotency-Key header.",
        "fingerprint": "SHA-256 of method, path and canonical body; another request with the key is rejected.",
        "status": "HTTP status of the stored response.",
        "body": "Body of the stored response.",
        "headers": "Headers of the stored response that replays repeat, such as ETag and Location.",
        "created_at": "When the key was claimed.",
    },
    "schema_version": {
        "": "Revision of the schema, maintained by Alembic.",
        "version_num": "Newest applied migration.",
    },
}

TRANSACTION_COMMENTS: Comments = {
    table: {"transaction_id": "Transaction that committed the row; finds the changes since a snapshot (docs/adr/0043)."}
    for table in ("outbox_chunk", "inbox")
}

JOB_COMMENTS: Comments = {
    "job": {
        "": "Requests for reports and exports that are answered in the background, with their leases; kept for a day.",
        "id": "Identifier.",
        "state": "queued, running, done or failed.",
        "path": "Path of the request.",
        "query": "Query of the request.",
        "credential": "Credential of the caller: id of the user, key:<id of the API key> or app:<id of the grant>.",
        "user_id": "User of the credential.",
        "caller": "Claims of the caller at the request, with which the job runs.",
        "client_ip": "Address of the client.",
        "request_id": "Id of the request.",
        "traceparent": "Trace of the request.",
        "progress": "Percent done.",
        "attempts": "Number of leases.",
        "runner": "Random id of the lease holder; of a finished job, whose parts are the result.",
        "lease_until": "End of the lease; then another replica may repeat the job.",
        "headers": "Headers of the result.",
        "problem": "Status, code and detail of the problem of a failed job.",
        "created_at": "When the job was requested.",
        "started_at": "When the first attempt began.",
        "finished_at": "When the job ended.",
        "expires_at": "When job and result are deleted.",
    },
    "job_result": {
        "": "Bodies of responses, in parts.",
        "job_id": "Job.",
        "runner": "Lease holder that stored the part.",
        "number": "Place of the part, from 0.",
        "content": "At most 1 MiB of the body.",
    },
}


def comment_statements(comments: Comments) -> Iterator[str]:
    """A COMMENT statement for each table and column."""
    for table, columns in comments.items():
        for column, comment in columns.items():
            target = f"COLUMN {table}.{column}" if column else f"TABLE {table}"
            quoted = comment.replace("'", "''")
            yield f"COMMENT ON {target} IS '{quoted}'"
