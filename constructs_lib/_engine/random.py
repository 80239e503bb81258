"""Bindings of the random provider."""

from cdktf_cdktf_provider_random import password as password
from cdktf_cdktf_provider_random import provider as provider
