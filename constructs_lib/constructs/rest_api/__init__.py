"""RestApi: a REST API for Lambda functions, with authorization, validation, logs, throttling and a web ACL."""

from constructs_lib.constructs.rest_api.account import ApiGatewayAccount as ApiGatewayAccount
from constructs_lib.constructs.rest_api.api import RestApi as RestApi
from constructs_lib.constructs.rest_api.authorizer import ApiAuthorizer as ApiAuthorizer
from constructs_lib.constructs.rest_api.authorizer import LambdaAuthorizer as LambdaAuthorizer
from constructs_lib.constructs.rest_api.options import ApiFunction as ApiFunction
from constructs_lib.constructs.rest_api.options import PublicAccess as PublicAccess
from constructs_lib.constructs.rest_api.options import ShorterTimeout as ShorterTimeout
from constructs_lib.constructs.rest_api.stage import ApiStage as ApiStage
