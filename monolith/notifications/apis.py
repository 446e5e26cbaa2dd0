"""The notifications' REST interface, as docs/contracts.md has it: everybody's own alone."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from monolith.notifications import selectors, services
from monolith.notifications.errors import NotificationForbidden, NotificationNotFound
from monolith.notifications.models import Notification
from monolith.notifications.serializers import ForgetFilter, NotificationFilter, NotificationOutput, Preferences


class NotificationListApi(GenericAPIView):
    permission_classes = [IsAuthenticated]
    queryset = Notification.objects.none()
    serializer_class = NotificationOutput

    @extend_schema(
        operation_id="notifications_list",
        parameters=[OpenApiParameter("unread", bool), OpenApiParameter("page", int)],
        responses=NotificationOutput(many=True),
    )
    def get(self, request):
        """One's own notifications, the newest first; with `unread` those alone that have not been read."""
        asked = _validated(NotificationFilter, request.query_params.dict())
        page = self.paginate_queryset(selectors.notifications_of(request.user, unread=asked["unread"]))
        return self.get_paginated_response(NotificationOutput(page, many=True).data)

    @extend_schema(
        operation_id="notifications_forget", parameters=[OpenApiParameter("user", int)], responses={204: None}
    )
    def delete(self, request):
        """Forget all about a person (staff only)."""
        asked = _validated(ForgetFilter, request.query_params.dict())
        try:
            services.person_forget(actor=request.user, user_id=asked["user"])
        except NotificationForbidden as error:
            raise exceptions.PermissionDenied(str(error)) from None
        return Response(status=204)


class NotificationReadApi(APIView):
    permission_classes = [IsAuthenticated]

    @extend_schema(operation_id="notifications_read", request=None, responses=NotificationOutput)
    def post(self, request, pk):
        """Say that one has read it; again is harmless."""
        try:
            read = services.notification_read(user=request.user, notification_id=pk)
        except NotificationNotFound as error:
            raise exceptions.NotFound(str(error)) from None
        return Response(NotificationOutput(read).data)


class PreferencesApi(APIView):
    permission_classes = [IsAuthenticated]

    @extend_schema(operation_id="notifications_preferences", responses=Preferences)
    def get(self, request):
        """Whether one gets mails."""
        return _preferences(request)

    @extend_schema(operation_id="notifications_preferences_set", request=Preferences, responses=Preferences)
    def put(self, request):
        """Get mails from now on, or none."""
        services.preference_set(user=request.user, **_validated(Preferences, request.data))
        return _preferences(request)


def _preferences(request):
    return Response(Preferences({"mail": selectors.mail_wanted_by(request.user.pk)}).data)


def _validated(serializer, data):
    filled = serializer(data=data)
    filled.is_valid(raise_exception=True)
    return filled.validated_data
