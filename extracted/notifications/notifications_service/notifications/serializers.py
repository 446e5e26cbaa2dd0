from rest_framework import serializers

from notifications_service.notifications.models import Notification


class NotificationOutput(serializers.ModelSerializer):
    class Meta:
        model = Notification
        fields = ["id", "subject", "body", "read", "created_at"]


class NotificationFilter(serializers.Serializer):
    unread = serializers.BooleanField(default=False)


class ForgetFilter(serializers.Serializer):
    user = serializers.IntegerField(min_value=1)


class PreferenceValue(serializers.Serializer):
    """`mail`: whether to write mails too."""

    mail = serializers.BooleanField()
