"""Names that are taken, which moto overwrites or gives twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs_lib.testing.local_aws.fixes.caches import parameter_groups, user_groups
from constructs_lib.testing.local_aws.refusals.asking import RefusedError, refuses

if TYPE_CHECKING:
    from constructs_lib.testing.local_aws.refusals.asking import Asked


@refuses("lambda:AddPermission")
def permission_names(asked: Asked) -> None:
    """The policy of a function, version or alias has each statement id once.

    See: https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
    """
    given = asked.parameters
    function = asked.backend("lambda").get_function(given["FunctionName"], qualifier=given.get("Qualifier"))
    # moto keeps the statements of a function and its aliases in one policy.
    wanted = ":".join([*function.function_arn.split(":")[:7], *filter(None, [given.get("Qualifier")])])
    for statement in function.policy.statements:
        if (statement.get("Sid"), statement.get("Resource")) == (given["StatementId"], wanted):
            raise RefusedError(
                "ResourceConflictException", f"The statement id ({given['StatementId']}) provided already exists.", 409
            )


@refuses("lambda:CreateFunctionUrlConfig")
def function_urls(asked: Asked) -> None:
    """A function or alias has one URL.

    See: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunctionUrlConfig.html
    """
    given = asked.parameters
    function = asked.backend("lambda").get_function(given["FunctionName"], qualifier=given.get("Qualifier"))
    if function.url_config:
        raise RefusedError(
            "ResourceConflictException",
            f"Failed to create function url config for [functionArn = {function.function_arn}].",
            409,
        )


@refuses("apigateway:CreateResource")
def api_paths(asked: Asked) -> None:
    """A resource of an API has each path part once.

    See: https://docs.aws.amazon.com/apigateway/latest/api/API_CreateResource.html
    """
    given = asked.parameters
    siblings = asked.backend("apigateway").get_resources(given["restApiId"])
    if any((each.parent_id, each.path_part) == (given["parentId"], given["pathPart"]) for each in siblings):
        part = given["pathPart"]
        raise RefusedError(
            "ConflictException", f"Another resource with the same parent already has this name: {part}", 409
        )


@refuses("apigateway:PutMethod")
def api_methods(asked: Asked) -> None:
    """A resource of an API has each method once.

    See: https://docs.aws.amazon.com/apigateway/latest/api/API_PutMethod.html
    """
    given = asked.parameters
    resource = asked.backend("apigateway").get_resource(given["restApiId"], given["resourceId"])
    if given["httpMethod"] in resource.resource_methods:
        raise RefusedError("ConflictException", "Method already exists for this resource", 409)


@refuses("apigateway:CreateAuthorizer")
def authorizers(asked: Asked) -> None:
    """An API has each authorizer name once.

    See: https://docs.aws.amazon.com/apigateway/latest/api/API_CreateAuthorizer.html
    """
    given = asked.parameters
    if any(each.name == given["name"] for each in asked.backend("apigateway").get_authorizers(given["restApiId"])):
        raise RefusedError(
            "ConflictException",
            f"Authorizer name must be unique. Authorizer {given['name']} already exists in this RestApi.",
            409,
        )


@refuses("apigateway:CreateDomainName")
def domain_names(asked: Asked) -> None:
    """A custom domain name exists once.

    See: https://docs.aws.amazon.com/apigateway/latest/api/API_CreateDomainName.html
    """
    if asked.parameters["domainName"] in asked.backend("apigateway").domain_names:
        raise RefusedError("ConflictException", "The domain name you provided already exists.", 409)


@refuses("autoscaling:CreateAutoScalingGroup")
def auto_scaling_groups(asked: Asked) -> None:
    """A Region has each name of an Auto Scaling group once.

    See: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html
    """
    if (name := asked.parameters["AutoScalingGroupName"]) in asked.backend("autoscaling").autoscaling_groups:
        raise RefusedError("AlreadyExists", f"AutoScalingGroup by this name already exists - {name}")


@refuses("rds:CreateDBSubnetGroup")
def database_subnet_groups(asked: Asked) -> None:
    """A Region has each name of a DB subnet group once.

    See: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSubnetGroup.html
    """
    if (name := asked.parameters["DBSubnetGroupName"]) in asked.backend("rds").subnet_groups:
        raise RefusedError("DBSubnetGroupAlreadyExists", f"The DB subnet group '{name}' already exists.")


@refuses("elasticache:CreateCacheParameterGroup")
def cache_parameter_groups(asked: Asked) -> None:
    """A Region has each name of a cache parameter group once.

    See: https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateCacheParameterGroup.html
    """
    if (name := asked.parameters["CacheParameterGroupName"]) in parameter_groups(asked.backend("elasticache")):
        raise RefusedError("CacheParameterGroupAlreadyExists", f"Cache parameter group {name} already exists.")


@refuses("elasticache:CreateUserGroup")
def cache_user_groups(asked: Asked) -> None:
    """A Region has each id of a user group once.

    See: https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateUserGroup.html
    """
    if (name := asked.parameters["UserGroupId"]) in user_groups(asked.backend("elasticache")):
        raise RefusedError("UserGroupAlreadyExists", f"User Group {name} already exists.")
