"""The engine's own classes, under a module name that does not say which engine it is."""

from cdktf import App as App
from cdktf import Aspects as Aspects
from cdktf import DefaultTokenResolver as DefaultTokenResolver
from cdktf import Fn as Fn
from cdktf import ITerraformDependable as ITerraformDependable
from cdktf import LocalBackend as LocalBackend
from cdktf import S3Backend as S3Backend
from cdktf import StringConcat as StringConcat
from cdktf import TerraformDataSource as TerraformDataSource
from cdktf import TerraformElement as TerraformElement
from cdktf import TerraformOutput as TerraformOutput
from cdktf import TerraformProvider as TerraformProvider
from cdktf import TerraformResource as TerraformResource
from cdktf import TerraformResourceLifecycle as TerraformResourceLifecycle
from cdktf import TerraformStack as TerraformStack
from cdktf import Token as Token
from cdktf import Tokenization as Tokenization
from constructs import Construct as Construct
from constructs import IValidation as IValidation
from constructs import Node as Node
