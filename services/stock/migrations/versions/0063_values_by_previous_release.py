"""Values of what replicas of the release before 0060 write while they still run: they do not know the columns.

They value stock at unit costs of four places. What they write is valued at these, so that a level's value remains the
sum of its movements', and the value in transit what left less what arrived. A later migration drops the triggers.
"""

from alembic import op

revision = "0063"
down_revision = "0062"

# The level's row already has the new quantity, as that release updates levels before it inserts their movements.
_VALUE_MOVEMENT = """
    CREATE FUNCTION value_movement() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
    DECLARE
        held level;
        cost numeric;
        goods numeric;
    BEGIN
        SELECT * INTO STRICT held FROM level l
        WHERE (l.product_id, l.warehouse_id, l.lot) = (NEW.product_id, NEW.warehouse_id, NEW.lot);
        cost := coalesce(NEW.unit_cost, held.last_cost, 0);
        goods := NEW.quantity * cost;
        NEW.value := CASE
            WHEN NEW.balance = 0 THEN -held.value
            WHEN held.last_cost IS NULL OR (NEW.before < 0 AND NEW.balance > 0) THEN NEW.balance * cost - held.value
            WHEN NEW.before < 0 AND NEW.quantity > 0 THEN round(held.value * NEW.balance / NEW.before, 10) - held.value
            WHEN NEW.balance > 0 AND held.value + goods < 0 THEN -held.value
            ELSE goods
        END;
        IF NEW.movement_type = 'transfer_in' AND NEW.document LIKE 'stock_transfer/%' THEN
            -- Goods of unknown cost arrive as they left: their cost becomes known here.
            goods := NEW.quantity * coalesce((
                SELECT max(t.unit_cost) FROM stock_transfer_line t
                WHERE t.transfer_id = CAST(split_part(NEW.document, '/', 2) AS bigint)
                    AND (t.product_id, t.lot) = (NEW.product_id, NEW.lot)), 0);
        END IF;
        NEW.correction := NEW.value - goods;
        UPDATE level l SET value = l.value + NEW.value, last_cost = CASE
            WHEN coalesce(l.last_cost, NEW.unit_cost) IS NULL THEN NULL
            WHEN NEW.balance > 0 THEN round((l.value + NEW.value) / NEW.balance, 10)
            ELSE coalesce(l.last_cost, NEW.unit_cost)
        END
        WHERE (l.product_id, l.warehouse_id, l.lot) = (NEW.product_id, NEW.warehouse_id, NEW.lot);
        RETURN NEW;
    END $$
"""
_VALUE_IN_TRANSIT = """
    CREATE FUNCTION value_in_transit() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.value_in_transit := OLD.value_in_transit + coalesce(NEW.unit_cost, 0) * (
            (NEW.shipped - NEW.received - NEW.damaged - NEW.returned - NEW.written_off) - OLD.in_transit);
        RETURN NEW;
    END $$
"""
_COST_OF_RETURN = """
    CREATE FUNCTION cost_of_return() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
    BEGIN
        NEW.cost := (SELECT NEW.quantity * l.unit_cost FROM sale_line l WHERE l.id = NEW.sale_line_id);
        UPDATE sale_line SET cost_returned = cost_returned + coalesce(NEW.cost, 0) WHERE id = NEW.sale_line_id;
        RETURN NEW;
    END $$
"""
_COST_OF_SALE = """
    CREATE FUNCTION cost_of_sale() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
    BEGIN
        IF NEW.status = 'voided' THEN
            UPDATE sale_line SET cost_returned = coalesce(cost, quantity * unit_cost) WHERE sale_id = NEW.id;
        END IF;
        NEW.cost := (SELECT round(sum(coalesce(l.cost, l.quantity * l.unit_cost) - l.cost_returned), 4)
                     FROM sale_line l WHERE l.sale_id = NEW.id);
        NEW.profit := NEW.total - NEW.refunded - NEW.cost;
        RETURN NEW;
    END $$
"""
STATEMENTS = (
    # The default would hide that a release does not write the column.
    "ALTER TABLE movement ALTER COLUMN value DROP DEFAULT",
    _VALUE_MOVEMENT,
    """
    CREATE TRIGGER movement_is_valued BEFORE INSERT ON movement
        FOR EACH ROW WHEN (NEW.value IS NULL) EXECUTE FUNCTION value_movement()
    """,
    _VALUE_IN_TRANSIT,
    """
    CREATE TRIGGER stock_transfer_line_is_valued BEFORE UPDATE ON stock_transfer_line FOR EACH ROW WHEN (
        NEW.value_in_transit = OLD.value_in_transit
        AND (NEW.shipped, NEW.received, NEW.damaged, NEW.returned, NEW.written_off)
            <> (OLD.shipped, OLD.received, OLD.damaged, OLD.returned, OLD.written_off)
    ) EXECUTE FUNCTION value_in_transit()
    """,
    _COST_OF_RETURN,
    """
    CREATE TRIGGER sale_return_line_is_valued BEFORE INSERT ON sale_return_line
        FOR EACH ROW WHEN (NEW.movement_id IS NOT NULL AND NEW.cost IS NULL) EXECUTE FUNCTION cost_of_return()
    """,
    _COST_OF_SALE,
    # A release that knows the columns changes the profit with every refund.
    """
    CREATE TRIGGER sale_is_valued BEFORE UPDATE ON sale FOR EACH ROW WHEN (
        NEW.refunded <> OLD.refunded AND (NEW.cost, NEW.profit) = (OLD.cost, OLD.profit)
    ) EXECUTE FUNCTION cost_of_sale()
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
