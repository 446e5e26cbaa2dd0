"""What a search reads, by its plan."""

from strangler.workshop.problems import Measured, rows_read

PRODUCTS = {"Relation Name": "catalog_product", "Actual Rows": "42.00", "Rows Removed by Filter": 958}
SCAN = {"Node Type": "Seq Scan", **PRODUCTS}


def test_products_that_are_read_are_counted_whether_they_are_found_or_not():
    plan = {"Node Type": "Sort", "Actual Rows": 42, "Plans": [{"Node Type": "Hash Join", "Plans": [SCAN]}]}
    assert rows_read(plan) == 1000


def test_rows_that_an_index_finds_and_those_of_other_tables_are_not_counted():
    indexed = {**SCAN, "Node Type": "Index Scan"}
    others = {**SCAN, "Relation Name": "catalog_category"}
    assert rows_read({"Node Type": "Nested Loop", "Plans": [indexed, others]}) == 0


def test_a_problem_is_a_line_with_its_figure_first():
    assert str(Measured(name="one size", value=20_000, of="rows")) == "one size      20,000  rows"
