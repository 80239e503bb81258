"""AlarmTopic: an encrypted SNS topic that CloudWatch alarms of the account write to, and people subscribe to."""

from constructs_lib.constructs.notification_topic.alarm_topic import AlarmTopic

__all__ = ["AlarmTopic"]
