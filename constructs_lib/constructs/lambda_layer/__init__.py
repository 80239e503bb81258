"""LambdaLayer: code that functions share, checked and packaged like theirs."""

from constructs_lib.constructs.lambda_layer.lambda_layer import LambdaLayer

__all__ = ["LambdaLayer"]
