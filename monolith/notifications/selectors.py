from monolith.notifications.models import Notification


def unread_for(user):
    return Notification.objects.filter(user=user, read=False)
