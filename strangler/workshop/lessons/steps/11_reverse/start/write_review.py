"""Write a review as a person does, through the proxy: python write_review.py TITLE."""

import os
import re
import sys

import httpx

shop = httpx.Client(base_url=os.environ["STRANGLER_PROXIES"], timeout=30, trust_env=False)
token = re.search('name="csrfmiddlewaretoken" value="(.+?)"', shop.get("/login/").text)[1]
form = {"username": "admin", "password": "orchard-demo", "csrfmiddlewaretoken": token}
shop.post("/login/", data=form, headers={"Referer": str(shop.base_url)})

product = shop.get("/api/products/").json()["results"][0]["id"]
review = {"product": product, "rating": 5, "title": sys.argv[1], "body": ""}
headers = {"X-CSRFToken": shop.cookies["csrftoken"], "Referer": str(shop.base_url)}
answer = shop.post("/api/reviews/", json=review, headers=headers)
sys.stdout.write(f"{answer.status_code} {'written' if answer.is_success else answer.text}\n")
