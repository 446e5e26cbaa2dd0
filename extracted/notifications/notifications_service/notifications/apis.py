"""The notifications' REST interface: everybody's own."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions
from rest_framework.generics import GenericAPIView
from rest_framework.response import Response

from notifications_service.notifications import errors, selectors, services
from notifications_service.notifications.models import Notification
from notifications_service.notifications.serializers import (
    ForgetFilter,
    NotificationFilter,
    NotificationOutput,
    PreferenceValue,
)


class NotificationsApi(GenericAPIView):
    """Base: our own errors become DRF's."""

    queryset = Notification.objects.none()
    serializer_class = NotificationOutput

    def handle_exception(self, exc):
        return super().handle_exception(_as_http(exc))


class NotificationListApi(NotificationsApi):
    @extend_schema(
        operation_id="notifications_list",
        parameters=[OpenApiParameter("unread", bool), OpenApiParameter("page", int)],
        responses=NotificationOutput(many=True),
    )
    def get(self, request):
        """One's own, newest first; with `unread=true` those that are not read."""
        asked = _validated(NotificationFilter, request.query_params.dict())
        page = self.paginate_queryset(selectors.notification_list(user=request.user, **asked))
        return self.get_paginated_response(NotificationOutput(page, many=True).data)

    @extend_schema(
        operation_id="notifications_forget", parameters=[OpenApiParameter("user", int)], responses={204: None}
    )
    def delete(self, request):
        """Forget all about a person (staff only)."""
        asked = _validated(ForgetFilter, request.query_params.dict())
        services.person_forget(actor=request.user, user_id=asked["user"])
        return Response(status=204)


class ReadApi(NotificationsApi):
    @extend_schema(operation_id="notifications_read", request=None)
    def post(self, request, pk):
        """Mark as read; again is harmless."""
        return Response(NotificationOutput(services.notification_read(user=request.user, notification_id=pk)).data)


class PreferenceApi(NotificationsApi):
    serializer_class = PreferenceValue
    pagination_class = None

    @extend_schema(operation_id="notifications_preferences")
    def get(self, request):
        return Response({"mail": selectors.wants_mail(user_id=request.user.pk)})

    @extend_schema(operation_id="notifications_preferences_set", request=PreferenceValue)
    def put(self, request):
        wanted = _validated(PreferenceValue, request.data)
        services.preference_set(user=request.user, **wanted)
        return Response(wanted)


def _validated(serializer, data):
    filled = serializer(data=data)
    filled.is_valid(raise_exception=True)
    return filled.validated_data


def _as_http(error):
    match error:
        case errors.NotFound():
            return exceptions.NotFound(str(error))
        case errors.Forbidden():
            return exceptions.PermissionDenied(str(error))
    return error
