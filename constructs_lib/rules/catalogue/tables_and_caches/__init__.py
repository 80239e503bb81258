"""Rules for DynamoDB tables and ElastiCache."""
