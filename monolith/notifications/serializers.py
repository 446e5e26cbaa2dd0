from rest_framework import serializers

from monolith.notifications.models import Notification


class NotificationOutput(serializers.ModelSerializer):
    class Meta:
        model = Notification
        fields = ["id", "subject", "body", "read", "created_at"]


class Preferences(serializers.Serializer):
    mail = serializers.BooleanField()


class NotificationFilter(serializers.Serializer):
    unread = serializers.BooleanField(default=False)


class ForgetFilter(serializers.Serializer):
    user = serializers.IntegerField(min_value=1)
