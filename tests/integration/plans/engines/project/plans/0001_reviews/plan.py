"""Reviews and their votes leave the shop."""

import os
from datetime import timedelta
from pathlib import Path

from strangler import plans
from strangler.plans.operations import (
    ArchiveTables,
    CutForeignKey,
    DropTables,
    MoveRoutes,
    MoveTables,
    ReplicateTable,
    RetireTables,
    RunPython,
    RunSQL,
)

ARCHIVE = str(Path(os.environ["RECORDS"]) / "archive")


def greet(connection):
    connection.cursor().execute("INSERT INTO shop_product (name, price) VALUES ('made by the plan', 2)")


def part(connection):
    connection.cursor().execute("DELETE FROM shop_product WHERE name = 'made by the plan'")


class Plan(plans.Plan):
    service = "reviews"
    operations = [
        CutForeignKey("shop.Review.product", keep="product_id", migration="0002_cut_foreign_keys"),
        RunPython(greet, part),
        RunSQL("UPDATE shop_product SET price = price + 1; -- for all", "UPDATE shop_product SET price = price - 1"),
        ReplicateTable("shop.Product", columns=["id", "name"]),
        MoveTables(["shop.Review", "shop.Vote"]),
        MoveRoutes(["/reviews/"], canary=[5_000], hold=0, limits=None),
        RetireTables(["shop.Review", "shop.Vote"]),
        ArchiveTables(["shop.Review", "shop.Vote"], to=ARCHIVE, after=timedelta(0)),
        DropTables(["shop.Review", "shop.Vote"], after=timedelta(0)),
    ]
