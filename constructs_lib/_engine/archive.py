"""Bindings of the archive provider."""

from cdktf_cdktf_provider_archive import data_archive_file as data_archive_file
from cdktf_cdktf_provider_archive import provider as provider
