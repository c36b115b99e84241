"""SQL of a page of search results, the best matches first: by SKU or barcode, then by whole words of the name, then by
any word or prefix. Beyond `max_ranked` matches, the rest follows by id."""

_RANK = "ts_rank('{{{{0.1, 0.2, 0.6, 1.0}}}}', {search}, (TABLE terms), 1)"
"""Weights of a word in the description, the category, the codes and the name; longer texts rank lower."""

RANKED_PAGE = f"""
    terms AS MATERIALIZED (SELECT search_query({{words}})),
    driving AS MATERIALIZED (SELECT driving_query({{words}}, {{common}})),
    name_words AS MATERIALIZED (SELECT name_query({{words}})),
    code_matches AS MATERIALIZED (
        SELECT id FROM product WHERE lower(sku) = lower(btrim({{words}})) AND deleted_at IS NULL
        UNION ALL SELECT product_id FROM barcode WHERE key = barcode_key({{words}})
    ),
    name_matches AS MATERIALIZED (
        SELECT {{product_id}} AS product_id, k.search FROM {{names.source}} WHERE {{names.where}}
        {{names_order}} LIMIT {{max_ranked}}
    ),
    other_matches AS MATERIALIZED (
        SELECT {{product_id}} AS product_id, k.search FROM {{others.source}} WHERE {{others.where}}
        AND (SELECT count(*) FROM name_matches) < {{enough}}
        AND {{product_id}} NOT IN (SELECT n.product_id FROM name_matches n) {{others_order}} LIMIT {{max_ranked}}
    ),
    candidates AS MATERIALIZED (
        SELECT product_id, 1 + {_RANK.format(search="search")} AS rank FROM name_matches
        WHERE product_id NOT IN (TABLE code_matches)
        UNION ALL
        SELECT product_id, CASE WHEN search @@ (TABLE name_words) THEN 1 ELSE 0 END
            + {_RANK.format(search="search")} FROM other_matches
        WHERE product_id NOT IN (TABLE code_matches)
        UNION ALL
        SELECT {{product_id}}, 2 + {_RANK.format(search="k.search")}
        FROM {{matches.source}} WHERE {{matches.where}} AND {{product_id}} IN (TABLE code_matches)
    ),
    ranked AS MATERIALIZED (
        SELECT product_id, rank FROM candidates WHERE {{after_ranked}}
        ORDER BY rank DESC, product_id DESC LIMIT {{limit}} OFFSET {{offset}}
    ),
    page AS MATERIALIZED (
        SELECT product_id, rank::text AS first_key, product_id AS second_key FROM (
            SELECT product_id, rank FROM ranked
            UNION ALL (
                SELECT product_id, -1::real FROM (
                    SELECT {{product_id}} AS product_id FROM {{matches.source}}
                    WHERE {{matches.where}} AND {{after_rest}}
                    AND (SELECT count(*) FROM candidates) >= {{max_ranked}}
                    AND (SELECT count(*) FROM ranked) < {{limit}}
                    AND {{product_id}} NOT IN (SELECT c.product_id FROM candidates c) OFFSET 0
                ) rest
                ORDER BY product_id DESC LIMIT {{limit}}
                OFFSET greatest({{offset}} - (SELECT count(*) FROM candidates), 0)
            )
        ) parts
        ORDER BY rank DESC, product_id DESC LIMIT {{limit}}
    )
"""
