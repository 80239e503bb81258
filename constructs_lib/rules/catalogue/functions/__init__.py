"""Rules for Lambda functions and layers."""
