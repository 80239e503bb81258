"""Rules for alarms, logs, EC2 instances, Auto Scaling groups and user data."""
