"""PeeredMesh: VPCs of any regions of a stack, peered with one another, routed both ways."""

from constructs_lib.constructs.peered_mesh.peered_mesh import PeeredMesh

__all__ = ["PeeredMesh"]
