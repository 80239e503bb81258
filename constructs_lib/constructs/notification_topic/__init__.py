"""NotificationTopic and AlarmTopic: encrypted SNS topics with subscriptions and a dead-letter queue."""

from constructs_lib.constructs.notification_topic.alarm_topic import AlarmTopic
from constructs_lib.constructs.notification_topic.notification_topic import NotificationTopic

__all__ = ["AlarmTopic", "NotificationTopic"]
