"""Comments on the tables and columns of the service, for readers of the database."""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0006"
down_revision = "0005"

COMMENTS = {
    "event_log": {
        "": "Every event of every service, append-only and chained by hashes; the audit trail is a filter on it.",
        "position": "Position in the log, without gaps, visible in order; the cursor of the feed.",
        "event_id": "CloudEvents id.",
        "type": "CloudEvents type.",
        "subject": "CloudEvents subject, such as product/42.",
        "at": "Time of the event, or of its arrival if the producer set none.",
        "actor_id": "User id of the actor.",
        "actor": "User name of the actor at that time.",
        "client_ip": "Address of the client; visible to admins only.",
        "request_id": "Id of the request that caused the event.",
        "audited": "False for events that follow from an audited event.",
        "attributes": "All CloudEvents attributes except the client address, exactly as hashed.",
        "data": "Payload, exactly as hashed.",
        "hash": "SHA-256 of the previous hash and the canonical form of this row.",
    },
    "event_log_head": {
        "": "The head of the event log; an append locks this row until its commit.",
        "single": "Limits the table to one row.",
        "position": "Position of the last entry.",
        "audited": "Number of audited entries.",
        "hash": "Hash of the last entry.",
    },
    "user_replica": {
        "": "Data replica of users of auth: recipients of notifications.",
        "id": "User id.",
        "version": "Version of the last applied event.",
        "username": "User name.",
        "email": "E-mail address.",
        "full_name": "Full name.",
        "role": "Role, which determines the audiences.",
        "is_active": "Deactivated users receive no e-mails.",
    },
    "company_replica": {
        "": "Data replica of the system settings of auth.",
        "single": "Limits the table to one row.",
        "version": "Version of the last applied event.",
        "name": "Company name, for the subject of e-mails.",
        "alert_emails": "Addresses that receive alerts besides users.",
    },
    "name_replica": {
        "": "Data replica of the names of products and warehouses, for texts of notifications.",
        "subject": "CloudEvents subject, such as product/42.",
        "version": "Version of the last applied event.",
        "name": "Name as shown in texts.",
    },
    "preference": {
        "": "Channel preferences of users; kinds without a row have the defaults.",
        "user_id": "User id.",
        "kind": "Notification kind.",
        "in_app": "Whether the user receives the kind in the app.",
        "email": "Whether the user receives the kind by e-mail.",
    },
    "notification": {
        "": "In-app notifications, one row per audience.",
        "id": "Notification id.",
        "audience": "user/ID, role/NAME or everyone.",
        "kind": "Notification kind.",
        "title": "Title, plain text.",
        "body": "Body, plain text.",
        "about_subject": "Subject of the event that caused it.",
        "created_at": "Time of creation; rows are deleted after 180 days.",
    },
    "notification_read": {
        "": "Which user has read which notification.",
        "user_id": "User id.",
        "notification_id": "Notification id.",
        "read_at": "When the user read it.",
    },
    "level_alert": {
        "": "Alert state of each stock level, so that one crossing raises one alert.",
        "product_id": "Product id.",
        "warehouse_id": "Warehouse id.",
        "lot": "Lot; 0 is stock without a lot.",
        "version": "Version of the level whose change led to the state.",
        "state": "ok, low or depleted.",
    },
    "queued_email": {
        "": "E-mail queue, one row per cause and recipient.",
        "id": "Row id.",
        "cause": "Id of the event or announcement that caused it.",
        "recipient": "E-mail address.",
        "kind": "Notification kind.",
        "content": "Title and body.",
        "state": "pending, sent or failed.",
        "message_id": "Message-ID header; rows with the same one are sent as one message.",
        "attempts": "Number of attempts.",
        "next_attempt_at": "When it is due, or when its lease expires.",
        "last_error": "Error of the last failed attempt.",
        "created_at": "When it was queued; after five days it fails.",
        "finished_at": "When it was sent or failed; rows are deleted 90 days later.",
    },
    "webhook": {
        "": "Endpoints of clients that receive events.",
        "id": "Webhook id.",
        "version": "Version of the row, the value of its ETag.",
        "url": "URL that deliveries are posted to.",
        "description": "Description by the client.",
        "event_types": "Patterns of event types.",
        "expression": "The patterns as a regular expression.",
        "is_active": "Inactive webhooks receive no events.",
        "from_position": "Events up to this position of the log are not delivered.",
        "secret": "Signing secret; stored in plain text because signing needs it.",
        "previous_secret": "Secret before the last rotation.",
        "previous_secret_until": "Until when the previous secret signs, too.",
        "failing_since": "Since when every delivery has failed.",
        "disabled_reason": "Why the system disabled the webhook.",
        "created_at": "Time of creation.",
        "updated_at": "Time of the last change.",
    },
    "webhook_delivery": {
        "": "Deliveries of events to webhooks, and the queue of their attempts.",
        "id": "Delivery id.",
        "webhook_id": "Webhook id.",
        "event_id": "CloudEvents id, sent as webhook-id.",
        "event_type": "CloudEvents type.",
        "position": "Position of the event in the log; null for a test.",
        "sample": "Payload of a test.",
        "state": "pending, delivered or failed.",
        "attempts": "Number of all attempts.",
        "attempts_in_schedule": "Attempts since the delivery was created or requested again.",
        "next_attempt_at": "When it is due, or when its lease expires.",
        "log": "Latest attempts, oldest first.",
        "created_at": "Time of creation.",
        "finished_at": "When it was delivered or failed; rows are deleted 30 days later.",
    },
    "webhook_progress": {
        "": "Progress of the fan-out; one replica locks this row at a time.",
        "single": "Limits the table to one row.",
        "position": "Position of the log up to which deliveries have been created.",
    },
}


def upgrade() -> None:
    for statement in comment_statements(COMMENTS):
        op.execute(statement)
