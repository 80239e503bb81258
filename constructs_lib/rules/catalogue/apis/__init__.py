"""Rules for API Gateway, load balancers, certificates and domains."""
