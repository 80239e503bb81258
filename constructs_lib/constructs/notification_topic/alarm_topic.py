"""AlarmTopic: an encrypted SNS topic that CloudWatch alarms of the account write to, and people subscribe to."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from constructs_lib._engine import aws, core
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import Condition, PolicyDocument, Statement
from constructs_lib.core.stack import Region

CLOUDWATCH: Final = "cloudwatch.amazonaws.com"


class AlarmTopic(HardenedConstruct):
    """A topic for alarms, encrypted with a customer key, which takes messages of the own account's alarms only.

    Subscriptions are left to people: an address that confirms itself cannot be made by Terraform.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: Where it is; alarms tell topics of their own region only.
        key: The key that encrypts it.

    Attributes:
        arn: The ARN, a reference inside the stack: what `alarm_topics` of constructs takes.

    Raises:
        ConfigurationError: The key has no replica in the region.

    See https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html.
    """

    def __init__(self, scope: core.Construct, id_: str, *, region: Region, key: MultiRegionKey) -> None:
        super().__init__(scope, id_, region=region)
        own_account = Condition("StringEquals", "aws:SourceAccount", (region.account_id,))
        key.allow_service(self, CLOUDWATCH, (own_account,))
        self.resource = self._create(
            aws.sns_topic.SnsTopic, "Resource", name=self._name("topic"), kms_master_key_id=key.arn_for(self)
        )
        self.arn = self._ref(self.resource, "arn")
        policy = PolicyDocument(
            self,
            "policy-document",
            [
                Statement(
                    sid="OwnAlarms",
                    actions=("sns:Publish",),
                    resources=(self.arn,),
                    principals=(("Service", (CLOUDWATCH,)),),
                    conditions=(own_account,),
                ),
                Statement(
                    sid="TlsOnly",
                    effect="Deny",
                    actions=("sns:Publish",),
                    resources=(self.arn,),
                    principals=(("AWS", ("*",)),),
                    conditions=(Condition("Bool", "aws:SecureTransport", ("false",)),),
                ),
            ],
        )
        self._create(aws.sns_topic_policy.SnsTopicPolicy, "policy", arn=self.arn, policy=policy.json)
        self._publish("arn", self.arn, "ARN of the topic that alarms tell")

    @cached_property
    def id(self) -> str:
        """The topic's ARN, for use in any stack."""
        return self.resource.arn
