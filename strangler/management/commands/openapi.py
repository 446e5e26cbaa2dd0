"""One OpenAPI document of all services, and theirs for the proxies."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from strangler_proxy.openapi.document import checked
from strangler_proxy.openapi.merging import merged

from strangler import conf
from strangler.management.command import StranglerCommand
from strangler.plans import wiring
from strangler.rollout.documents import documents


class Command(StranglerCommand):
    help = "Merges the OpenAPI documents of all services into one, with who answers what now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--title", default="API", help="The merged document's.")
        parser.add_argument("--publish", action="store_true", help="Send each service's document to all proxies.")

    def run(self, **options: Any) -> None:
        routes = wiring.routes()
        table = routes.derive()
        found = documents(conf.configuration().openapi, table, settings.BASE_DIR)
        if options["publish"]:
            for name, document in found.items():
                routes.fleet.describe(name, document)
            self.stdout.write(f"All proxies have the documents of {', '.join(found) or 'nobody'}.")
            return
        known = {name: checked(document, name) for name, document in found.items()}
        whole, problems = merged(known, table, options["title"])
        for problem in problems:
            self.stderr.write(problem)
        self.stdout.write(json.dumps(whole, indent=2))
