"""A report for the staff, straight from the tables of three apps."""

from django.contrib.admin.views.decorators import staff_member_required
from django.db import connection
from django.shortcuts import render
from django.views.decorators.http import require_safe

_REVIEWERS = """
    SELECT u.username,
           count(r.id) AS reviews,
           round(avg(r.rating), 2) AS average,
           count(DISTINCT r.product_id) FILTER (WHERE bought.product_id IS NOT NULL) AS bought,
           coalesce(max(spent.total), 0) AS spent
      FROM reviews_review r
      JOIN accounts_user u ON u.id = r.author_id
      LEFT JOIN (SELECT DISTINCT o.customer_id, l.product_id
                   FROM orders_order o JOIN orders_line l ON l.order_id = o.id) bought
             ON bought.customer_id = u.id AND bought.product_id = r.product_id
      LEFT JOIN (SELECT customer_id, sum(total) AS total FROM orders_order GROUP BY customer_id) spent
             ON spent.customer_id = u.id
     GROUP BY u.id, u.username
     ORDER BY reviews DESC, u.username
     LIMIT 50
"""


@require_safe
@staff_member_required(login_url="login")
def reviewers(request):
    with connection.cursor() as cursor:
        cursor.execute(_REVIEWERS)
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return render(request, "reviews/reviewers.html", {"rows": rows})
