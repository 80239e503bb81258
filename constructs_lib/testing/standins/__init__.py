"""Stand-ins for the Terraform providers hashicorp/archive and hashicorp/random, for tests that cannot download them.

They are programs of this package, not HashiCorp's: Terraform starts them as it starts any provider, and plans, applies
and destroys with them. The arguments, their checks and what forces a replacement are those of the real providers; the
bytes of an archive (and so its hashes) and the number that a seed leads to are not. Every line they log says so.

Never keep a `.terraform.lock.hcl` that was written with them: its hashes are not those of the real providers.
"""

from constructs_lib.testing.standins.mirror import write_mirror

__all__ = ["write_mirror"]
