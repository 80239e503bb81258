"""Stand-ins for the Terraform providers hashicorp/archive and hashicorp/random, for tests that cannot download them.

They are programs of this package, not HashiCorp's; Terraform starts them like any provider. Arguments, validation and
attributes that force replacement are those of the real providers. Archive bytes, and so their hashes, and the results
of a seed are not. Every log line says that it comes from a stand-in.

Do not commit a `.terraform.lock.hcl` that was written with them: its hashes are not those of the real providers.
"""

from constructs_lib.testing.standins.mirror import write_mirror

__all__ = ["write_mirror"]
