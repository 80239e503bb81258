"""Rules for VPCs, security groups, routes and peering."""
