"""Sends the messages of a dead-letter queue again, whose source is not an SQS queue.

python resend.py QUEUE_URL            to the targets of EventBridge rules, which the messages name
python resend.py QUEUE_URL TARGET_ARN to one queue, or function or alias
"""

import sys

import boto3


def resend(queue_url: str, target_arn: str | None = None) -> int:
    """Send each message to its target and delete it; return how many."""
    sqs, sent = boto3.client("sqs"), 0
    asked = {"QueueUrl": queue_url, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"], "WaitTimeSeconds": 1}
    while messages := sqs.receive_message(**asked).get("Messages"):
        for message in messages:
            deliver(target_arn or message["MessageAttributes"]["TARGET_ARN"]["StringValue"], message["Body"])
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
            sent += 1
    return sent


def deliver(target_arn: str, body: str) -> None:
    """Send a body to a queue, or invoke a function with it asynchronously."""
    service, resource = target_arn.split(":")[2], target_arn.split(":", 5)[5]
    if service == "sqs":
        sqs = boto3.client("sqs")
        sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=resource)["QueueUrl"], MessageBody=body)
    elif service == "lambda":
        boto3.client("lambda").invoke(FunctionName=target_arn, InvocationType="Event", Payload=body.encode())
    else:
        raise SystemExit(f"{target_arn}: expected the ARN of a queue or function")


if __name__ == "__main__":
    print(resend(*sys.argv[1:3]), "messages sent")
