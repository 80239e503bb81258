"""PeeredMesh: VPC peering connections between the VPCs of a stack, with routes on both sides."""

from constructs_lib.constructs.peered_mesh.peered_mesh import PeeredMesh

__all__ = ["PeeredMesh"]
