"""What this service stores about customers, and about users who sell."""

from stockbuddy.chassis.http.personal_data import JOBS_OF_USER, section_query

OF_CUSTOMER = {
    "customer": section_query("SELECT * FROM customer WHERE id = :id"),
    "sales": section_query("""
        SELECT id, number, status, payment_method, reference, notes, total, refunded, occurred_at, recorded_at
        FROM sale WHERE customer_id = :id ORDER BY id DESC"""),
    "returns": section_query("""
        SELECT r.id, r.sale_id, r.total, r.reason, r.occurred_at
        FROM sale_return r JOIN sale s ON s.id = r.sale_id WHERE s.customer_id = :id ORDER BY r.id DESC"""),
}
OF_USER = {
    "sold": section_query("""
        SELECT id, number, seller, occurred_at, recorded_at FROM sale WHERE sold_by = :id ORDER BY id DESC"""),
    "returns_taken": section_query("""
        SELECT id, sale_id, reason, occurred_at FROM sale_return WHERE performed_by = :id ORDER BY id DESC"""),
    "jobs": JOBS_OF_USER,
    "report_schedules": section_query("""
        SELECT id, name, report, owner_id = :id AS is_owner, created_at FROM report_schedule
        WHERE owner_id = :id OR :id = ANY(recipient_ids) ORDER BY id DESC"""),
    "report_owner": section_query("SELECT username, role, is_active FROM user_replica WHERE id = :id"),
    "reservations": section_query("""
        SELECT id, external_ref, notes, created_at FROM reservation WHERE created_by = :id ORDER BY id DESC"""),
}
