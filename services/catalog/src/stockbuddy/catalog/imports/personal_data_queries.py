"""What this service stores about users: their imports, and which products are theirs."""

from stockbuddy.chassis.http.personal_data import JOBS_OF_USER, section_query

OF_USER = {
    "imports": section_query("""
        SELECT id, file_name, actor_name, client_ip, created_at FROM import_job
        WHERE actor_id = :id ORDER BY id DESC"""),
    "jobs": JOBS_OF_USER,
    "products": section_query("SELECT id, sku, created_at FROM product WHERE owner_id = :id ORDER BY id DESC"),
}
