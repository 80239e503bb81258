"""LambdaLayer: a Lambda layer from a folder, checked at synth."""

from constructs_lib.constructs.lambda_layer.lambda_layer import LambdaLayer

__all__ = ["LambdaLayer"]
