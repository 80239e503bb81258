"""Rules for SQS, SNS and EventBridge."""
