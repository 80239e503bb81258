"""Documents shared by the tests of the API rules."""

from __future__ import annotations

API = {"aws_api_gateway_rest_api": {"shop": {"name": "shop-prod-api"}}}
OF_API = {"rest_api_id": "${aws_api_gateway_rest_api.shop.id}"}
