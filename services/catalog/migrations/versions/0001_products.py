"""Products, categories, suppliers, and the replica of stock.

What is derived from products (barcodes, the cards that lists and searches read, the counters) is maintained by triggers
in the transaction that changes the product, so that no way of writing, not even COPY, can omit it.
"""

from alembic import op

from stockbuddy.chassis.postgres import schema

revision = "0001"
down_revision = None

TABLES = (
    """
    CREATE TABLE category (
        id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT category_pkey PRIMARY KEY,
        name text NOT NULL CONSTRAINT category_name_length CHECK (length(name) BETWEEN 1 AND 100),
        parent_id bigint CONSTRAINT category_parent REFERENCES category,
        owner_id bigint,
        version integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz,
        CONSTRAINT category_not_own_parent CHECK (parent_id <> id)
    )
    """,
    "CREATE UNIQUE INDEX category_name_living ON category (lower(name)) WHERE deleted_at IS NULL",
    "CREATE INDEX category_by_parent ON category (parent_id) WHERE deleted_at IS NULL",
    """
    CREATE TABLE supplier (
        id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT supplier_pkey PRIMARY KEY,
        name text NOT NULL CONSTRAINT supplier_name_length CHECK (length(name) BETWEEN 1 AND 255),
        contact_email text,
        phone_number text,
        address text,
        lead_time_days integer CONSTRAINT supplier_lead_time CHECK (lead_time_days >= 0),
        owner_id bigint,
        version integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
    )
    """,
    'CREATE INDEX supplier_by_name ON supplier ((lower(name) COLLATE "C"), id) WHERE deleted_at IS NULL',
    """
    CREATE TABLE product (
        id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT product_pkey PRIMARY KEY,
        sku text NOT NULL CONSTRAINT product_sku_length CHECK (length(sku) BETWEEN 1 AND 100),
        name text NOT NULL CONSTRAINT product_name_length CHECK (length(name) BETWEEN 1 AND 255),
        description text,
        category_id bigint CONSTRAINT product_category REFERENCES category,
        supplier_id bigint CONSTRAINT product_supplier REFERENCES supplier,
        owner_id bigint,
        unit_price numeric(18, 4) NOT NULL CONSTRAINT product_unit_price CHECK (unit_price >= 0),
        cost_price numeric(18, 4) CONSTRAINT product_cost_price CHECK (cost_price >= 0),
        unit_of_measure text,
        barcodes text[] NOT NULL DEFAULT '{}',
        low_stock_threshold numeric(15, 3) CONSTRAINT product_threshold CHECK (low_stock_threshold >= 0),
        is_active boolean NOT NULL DEFAULT true,
        image_digest text,
        version integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
    )
    """,
    "CREATE UNIQUE INDEX product_sku_living ON product (lower(sku)) WHERE deleted_at IS NULL",
    'CREATE INDEX product_by_name ON product ((lower(name) COLLATE "C"), id) WHERE deleted_at IS NULL',
    "CREATE INDEX product_by_created ON product (created_at, id) WHERE deleted_at IS NULL",
    "CREATE INDEX product_by_price ON product (unit_price, id) WHERE deleted_at IS NULL",
    "CREATE INDEX product_by_category ON product (category_id, id) WHERE deleted_at IS NULL",
    "CREATE INDEX product_by_supplier ON product (supplier_id, id) WHERE deleted_at IS NULL",
    "CREATE INDEX product_by_owner ON product (owner_id, id) WHERE deleted_at IS NULL",
    "CREATE INDEX product_asleep ON product (id) WHERE deleted_at IS NULL AND NOT is_active",
    """
    CREATE TABLE barcode (
        code text CONSTRAINT barcode_pkey PRIMARY KEY,
        product_id bigint NOT NULL CONSTRAINT barcode_product REFERENCES product
    )
    """,
    "CREATE INDEX barcode_by_product ON barcode (product_id)",
    # What lists and searches read: one narrow row per product, without the columns that they do not need.
    """
    CREATE TABLE product_card (
        product_id bigint CONSTRAINT product_card_pkey PRIMARY KEY,
        document text NOT NULL,
        search tsvector
    )
    """,
    "CREATE INDEX product_card_search ON product_card USING gin (search)",
    """
    CREATE TABLE warehouse (
        id bigint CONSTRAINT warehouse_pkey PRIMARY KEY,
        version integer NOT NULL,
        code text NOT NULL,
        name text NOT NULL,
        kind text NOT NULL,
        is_default boolean NOT NULL,
        deleted boolean NOT NULL
    )
    """,
    # No foreign keys to product and warehouse: a level may arrive before either.
    """
    CREATE TABLE stock_level (
        product_id bigint,
        warehouse_id bigint,
        lot bigint,
        version bigint NOT NULL,
        on_hand numeric(15, 3) NOT NULL,
        reserved numeric(15, 3) NOT NULL,
        CONSTRAINT stock_level_pkey PRIMARY KEY (product_id, warehouse_id, lot)
    )
    """,
    """
    CREATE TABLE product_stock (
        product_id bigint CONSTRAINT product_stock_pkey PRIMARY KEY,
        living boolean NOT NULL DEFAULT false,
        threshold numeric(15, 3),
        on_hand numeric(18, 3) NOT NULL DEFAULT 0,
        reserved numeric(18, 3) NOT NULL DEFAULT 0
    )
    """,
    "CREATE INDEX product_stock_by_quantity ON product_stock (on_hand, product_id) WHERE living",
    """
    CREATE INDEX product_stock_low ON product_stock (product_id)
    WHERE living AND threshold IS NOT NULL AND on_hand <= threshold
    """,
    "CREATE INDEX product_stock_by_default ON product_stock (on_hand) WHERE living AND threshold IS NULL",
    # The number of products, and numbers that grow with every change: sharded, so that writers do not wait.
    """
    CREATE TABLE tally (
        shard smallint CONSTRAINT tally_pkey PRIMARY KEY,
        living bigint NOT NULL DEFAULT 0,
        product_changes bigint NOT NULL DEFAULT 0,
        stock_changes bigint NOT NULL DEFAULT 0
    ) WITH (fillfactor = 20, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0)
    """,
    "INSERT INTO tally (shard) SELECT generate_series(0, 31)",
)

WORDS = (
    # Splits text into words, for stored text and for search terms: lower case, no accents, letters and digits only.
    # PostgreSQL's own parser reads "-5" as a number and "a.b" as a host.
    r"""
    CREATE FUNCTION words(given text) RETURNS SETOF text LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 8 AS $$
        SELECT left(word, 50)
        FROM regexp_split_to_table(
            lower(regexp_replace(normalize(given, NFKD), '[\u0300-\u036f]', '', 'g')), '[^[:alnum:]]+') word
        WHERE word <> ''
    $$
    """,
    r"""
    CREATE FUNCTION money_text(amount numeric) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT CASE WHEN scale(trim_scale(amount)) < 2 THEN round(amount, 2) ELSE trim_scale(amount) END::text
    $$
    """,
    r"""
    CREATE FUNCTION time_text(moment timestamptz) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
        SELECT to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    $$
    """,
    # A: name, B: SKU (also without separators, as people type it) and barcodes, C: category,
    # D: description. '=word' marks a word of the name, '#7' the category, whose name may change.
    r"""
    CREATE FUNCTION search_vector(p product) RETURNS tsvector LANGUAGE sql IMMUTABLE AS $$
        SELECT string_agg(word, ' ')::tsvector FROM (
            SELECT word || ':1A =' || word || ':1A' FROM words(p.name) word
            UNION ALL SELECT word || ':1B' FROM words(p.sku) word
            UNION ALL SELECT string_agg(word, '' ORDER BY place) || ':1B'
                FROM words(p.sku) WITH ORDINALITY w(word, place)
            UNION ALL SELECT word || ':1B' FROM unnest(p.barcodes) code, words(code) word
            UNION ALL SELECT '#' || p.category_id || ':1C'
            UNION ALL SELECT word || ':1D' FROM words(left(p.description, 20000)) word
        ) parts(word)
    $$
    """,
    # Every word is a prefix, or the id of a category whose name, or that of a category above it, has the prefix.
    r"""
    CREATE FUNCTION search_query(given text) RETURNS tsquery LANGUAGE plpgsql STABLE AS $$
    DECLARE
        word text;
        alternatives text;
        wanted text := '';
    BEGIN
        FOR word IN SELECT DISTINCT w FROM words(given) w LIMIT 10 LOOP
            WITH RECURSIVE named AS (
                SELECT id FROM category c
                WHERE deleted_at IS NULL AND EXISTS (SELECT FROM words(c.name) w WHERE starts_with(w, word))
                UNION SELECT c.id FROM category c JOIN named n ON c.parent_id = n.id WHERE c.deleted_at IS NULL
            )
            SELECT string_agg(' | ''#' || id || '''', '') INTO alternatives FROM named;
            wanted := wanted || CASE wanted WHEN '' THEN '' ELSE ' & ' END
                || '(' || word || ':*' || coalesce(alternatives, '') || ')';
        END LOOP;
        RETURN wanted::tsquery;
    END
    $$
    """,
    # Whole words of the name: finds the best matches in the index alone.
    r"""
    CREATE FUNCTION name_query(given text) RETURNS tsquery LANGUAGE sql STABLE AS $$
        SELECT string_agg(DISTINCT '=' || word, ' & ')::tsquery FROM words(given) word
    $$
    """,
)

CARDS = (
    # JSON members of a product's response, without braces: reads add the stock.
    r"""
    CREATE FUNCTION product_document(p product, category text, supplier text) RETURNS text LANGUAGE sql STABLE AS $$
        SELECT substr(shown, 2, length(shown) - 2) FROM (
            SELECT row_to_json(fields)::text AS shown FROM (
                SELECT p.id, p.sku, p.name, p.description, money_text(p.unit_price) AS unit_price,
                    money_text(p.cost_price) AS cost_price, p.unit_of_measure, p.barcodes, p.category_id, category,
                    p.supplier_id,
                    CASE WHEN p.supplier_id IS NOT NULL
                        THEN json_build_object('id', p.supplier_id, 'name', supplier) END AS supplier,
                    p.owner_id, p.is_active,
                    '/api/v1/products/' || p.id || '/image?v=' || p.image_digest AS image_url,
                    p.version, time_text(p.created_at) AS created_at, time_text(p.updated_at) AS updated_at,
                    time_text(p.deleted_at) AS deleted_at
            ) fields
        ) document
    $$
    """,
    r"""
    CREATE VIEW product_rendering AS
    SELECT p.id AS product_id, product_document(p, c.name, s.name) AS document,
        CASE WHEN p.deleted_at IS NULL THEN search_vector(p) END AS search, p.category_id, p.supplier_id
    FROM product p LEFT JOIN category c ON c.id = p.category_id LEFT JOIN supplier s ON s.id = p.supplier_id
    """,
    # SKIP LOCKED: a writer takes any shard that no concurrent transaction has locked, instead of waiting for one.
    r"""
    CREATE FUNCTION count_changes(more_living bigint, products integer, stock integer) RETURNS void
    LANGUAGE plpgsql AS $$
    DECLARE
        free smallint;
    BEGIN
        SELECT shard INTO free FROM tally FOR UPDATE SKIP LOCKED LIMIT 1;
        UPDATE tally SET living = living + more_living, product_changes = product_changes + products,
            stock_changes = stock_changes + stock
        WHERE shard = coalesce(free, pg_backend_pid() % 32);
    END
    $$
    """,
    r"""
    CREATE FUNCTION claim_barcodes() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            DELETE FROM barcode
            WHERE product_id = NEW.id AND NOT (NEW.deleted_at IS NULL AND code = ANY (NEW.barcodes));
        END IF;
        IF NEW.deleted_at IS NULL THEN
            INSERT INTO barcode (code, product_id)
            SELECT wanted.code, NEW.id FROM unnest(NEW.barcodes) wanted(code)
            WHERE NOT EXISTS (SELECT FROM barcode b WHERE b.code = wanted.code AND b.product_id = NEW.id);
        END IF;
        RETURN NULL;
    END
    $$
    """,
    r"""
    CREATE TRIGGER product_barcodes_inserted AFTER INSERT ON product FOR EACH ROW
    WHEN (NEW.barcodes <> '{}') EXECUTE FUNCTION claim_barcodes()
    """,
    r"""
    CREATE TRIGGER product_barcodes_updated AFTER UPDATE ON product FOR EACH ROW
    WHEN (NEW.barcodes <> OLD.barcodes OR (NEW.deleted_at IS NULL) <> (OLD.deleted_at IS NULL))
    EXECUTE FUNCTION claim_barcodes()
    """,
    # Plans are cached for the life of a connection, so nested loops are enforced whatever the first statement changed.
    r"""
    CREATE FUNCTION follow_products() RETURNS trigger LANGUAGE plpgsql
    SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
    DECLARE
        more_living bigint;
    BEGIN
        SELECT count(*) INTO more_living FROM changed WHERE deleted_at IS NULL;
        IF TG_OP = 'UPDATE' THEN
            more_living := more_living - (SELECT count(*) FROM former WHERE deleted_at IS NULL);
        END IF;
        INSERT INTO product_stock AS s (product_id, living, threshold)
        SELECT id, deleted_at IS NULL, low_stock_threshold FROM changed ORDER BY id
        ON CONFLICT (product_id) DO UPDATE SET living = excluded.living, threshold = excluded.threshold
        WHERE (s.living, s.threshold) IS DISTINCT FROM (excluded.living, excluded.threshold);
        INSERT INTO product_card AS k (product_id, document, search)
        SELECT r.product_id, r.document, r.search FROM changed n JOIN product_rendering r ON r.product_id = n.id
        ON CONFLICT (product_id) DO UPDATE SET document = excluded.document, search = excluded.search;
        PERFORM count_changes(more_living, 1, 0);
        RETURN NULL;
    END
    $$
    """,
    r"""
    CREATE TRIGGER product_inserted AFTER INSERT ON product REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION follow_products()
    """,
    r"""
    CREATE TRIGGER product_updated AFTER UPDATE ON product REFERENCING NEW TABLE AS changed OLD TABLE AS former
    FOR EACH STATEMENT EXECUTE FUNCTION follow_products()
    """,
    # Cards contain the names of their category and supplier.
    r"""
    CREATE FUNCTION follow_category() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.name <> OLD.name THEN
            UPDATE product_card k SET document = r.document FROM product_rendering r
            WHERE r.product_id = k.product_id AND r.category_id = NEW.id;
        END IF;
        PERFORM count_changes(0, 1, 0);
        RETURN NULL;
    END
    $$
    """,
    r"""
    CREATE TRIGGER category_updated AFTER UPDATE ON category FOR EACH ROW EXECUTE FUNCTION follow_category()
    """,
    r"""
    CREATE FUNCTION follow_supplier() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE product_card k SET document = r.document FROM product_rendering r
        WHERE r.product_id = k.product_id AND r.supplier_id = NEW.id;
        RETURN NULL;
    END
    $$
    """,
    r"""
    CREATE TRIGGER supplier_renamed AFTER UPDATE ON supplier FOR EACH ROW
    WHEN (NEW.name <> OLD.name) EXECUTE FUNCTION follow_supplier()
    """,
)


def upgrade() -> None:
    schema.create_chassis_tables()
    for statement in (*TABLES, *WORDS, *CARDS):
        op.get_bind().exec_driver_sql(statement)
