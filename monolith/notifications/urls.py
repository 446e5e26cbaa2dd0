from django.urls import path

from monolith.notifications import views

urlpatterns = [
    path("messages/<int:notification>/read/", views.mark_read, name="message-read"),
    path("messages/mail/", views.want_mail, name="message-mail"),
]
