"""The audit trail: a filter on the event log, with the changes of each entry and their verification."""
