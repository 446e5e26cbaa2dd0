from time import perf_counter

from django.contrib.auth.hashers import make_password
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from monolith.seed.load import NotEmpty, load
from monolith.seed.rows import Rows
from monolith.seed.sizes import SIZES


class Command(BaseCommand):
    help = "Fills an empty shop with goods, people, reviews and orders; the same seed gives the same shop."

    def add_arguments(self, parser):
        parser.add_argument("--size", choices=SIZES, default="S")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--password", help="everybody's password; without it nobody can log in")

    def handle(self, *args, size, seed, password, **options):
        # One hash for all, with a salt of the seed's: hashing is slow on purpose, and must repeat itself here.
        password_hash = make_password(password, salt=f"orchard{seed}") if password else "!seeded"
        started = perf_counter()
        try:
            counts = load(Rows(SIZES[size], seed, password_hash))
        except NotEmpty as table:
            raise CommandError(
                f'Table "{table}" has rows already; seed an empty database (`migrate` a new one).'
            ) from None
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        listed = ", ".join(f"{number:,} {table}" for table, number in counts.items())
        self.stdout.write(f"{listed} in {perf_counter() - started:.1f} s")
