from django.urls import include, path

urlpatterns = [path("staff/extractions/", include("strangler.dashboard.urls"))]
