"""The lessons: each mistake, what in the library prevents it, and why no rule looks for it where none does."""

from __future__ import annotations

from typing import Final

LESSONS: Final[dict[str, tuple[str, str, str]]] = {
    "PAY-1": (
        "A provider is chosen at run time, by for_each over regions",
        "Every construct takes one Region, which carries an explicit provider, and sets it on all that it makes",
        "",
    ),
    "PAY-2": (
        "Source code with a UTF-16 byte-order mark, and a text file named .zip",
        "PaymentLambda and LambdaLayer read the source at synth and refuse what is not UTF-8 or does not parse",
        "",
    ),
    "PAY-3": (
        "The same local values are defined several times",
        "RegionalMap: one map per kind, written once",
        "",
    ),
    "PAY-4": (
        "Labels and names in three styles side by side",
        "HardenedStack makes every label, in snake_case with the region last; Naming makes every AWS name",
        "",
    ),
    "PAY-5": (
        "Peering between regions without peer_region, accepter and routes back",
        "PeeredMesh makes requester, accepter, options and the routes of both sides, and refuses overlaps",
        "",
    ),
    "PAY-6": (
        "Tests expect the design of before",
        "The pytest helpers assert on construct paths and types; each reference stack is tested region by region",
        "A test suite is not part of Terraform's documents.",
    ),
    "PAY-7": (
        "A map of regional resources misses a region",
        "RegionalMap refuses a missing or surplus region by name",
        "",
    ),
    "PLAT-1": (
        "Aurora with a serverless scaling block and provisioned classes together",
        "AuroraProvisioned has no scaling block, and refuses classes that Aurora does not offer",
        "",
    ),
    "PLAT-2": (
        "The S3 backend's bucket and lock table are written into the code",
        "The backend is chosen by the shell's variables or a partial file; the default is local",
        "",
    ),
    "PLAT-3": (
        "A function points at a package that nobody built",
        "PaymentLambda packs its source with archive_file in the same plan",
        "",
    ),
    "PLAT-4": (
        "Code is not formatted",
        "make check formats and lints; the synthesized JSON is the same bytes for the same input",
        "The layout of the source is lost in the JSON that rules read.",
    ),
    "PLAT-5": (
        "A NAT gateway for every zone, in dev as well",
        "RegionalVpc takes the number from the environment: one outside production",
        "",
    ),
    "PLAT-6": (
        "Two Aurora instances in dev",
        "AuroraProvisioned takes the number from the environment: one in dev, two or more elsewhere",
        "",
    ),
    "PLAT-7": (
        "A build script that needs the program zip",
        "Nothing is built by programs of the machine; archive_file packs",
        "",
    ),
    "PLAT-8": (
        "The README asks for a bucket and table made by hand",
        "StateBackend makes the bucket, hardened, in a stack of its own",
        "",
    ),
    "PLAT-9": (
        "A role for flow logs may write to every log group",
        "RegionalVpc allows writing to its own log group only; only Describe actions are for everything",
        "",
    ),
    "PLAT-10": (
        "A function URL without authentication, open to every origin",
        "PaymentLambda makes no URL by default; with one, IAM authentication and named origins outside dev",
        "",
    ),
    "PLAT-11": (
        "Nobody wrote down how to choose a backend",
        "The README says how, and the error of a wrong choice names the variables",
        "Documentation is not part of Terraform's documents.",
    ),
    "PLAT-12": (
        "Workspace and environment suffix disagree",
        "HardenedStack adds a precondition: the workspace is default or the environment",
        "",
    ),
    "PLAT-13": (
        "A generated password with signs that break connection strings",
        "AuroraProvisioned lets RDS make and keep the password; a generated one has safe signs only",
        "",
    ),
    "TICK-1": (
        "Code is packed from files that the same plan writes first",
        "PaymentLambda packs a folder as it stands",
        "",
    ),
    "TICK-2": (
        "No environment suffix anywhere",
        "Environment is a required argument of every stack",
        "",
    ),
    "TICK-3": (
        "Some names carry the environment, some do not",
        "Names come from Naming only, which has the environment in it",
        "",
    ),
    "TICK-4": (
        "No outputs for the tests",
        "Every construct publishes its outputs, and the stack exports them",
        "",
    ),
    "TICK-5": (
        "Placeholder tests",
        "Every test asserts behaviour; every rule has a good and a bad document",
        "A test suite is not part of Terraform's documents.",
    ),
    "TICK-6": (
        "Tests point at files of other names",
        "Tests import the package, never a path",
        "A test suite is not part of Terraform's documents.",
    ),
    "TICK-7": (
        "A function in a VPC without proper security groups",
        "PaymentLambda makes a group of its own without ingress; egress only to named peers and ports",
        "",
    ),
    "EVT-1": (
        "The region's variable is not declared",
        "The region is an argument of the construct, and no variable",
        "",
    ),
    "EVT-2": (
        "Four packages that do not exist",
        "PaymentLambda packs its source with archive_file in the same plan",
        "",
    ),
    "EVT-3": (
        "An account id is written into the code",
        "Constructs use aws_caller_identity, declared once per provider",
        "",
    ),
    "EVT-4": (
        "No environment suffix in names",
        "Names come from Naming only, which has the environment in it",
        "",
    ),
    "EVT-5": (
        "Reserved concurrency eats the account's pool",
        "Reservations are counted against a budget per account and region, and going over is refused",
        "",
    ),
    "EVT-6": (
        "throttle_settings on the API's stage",
        "RestApi sets throttling in aws_api_gateway_method_settings",
        "",
    ),
    "EVT-7": (
        "A placeholder for a secret in SSM",
        "SecretParameter makes the secret, as SecureString with a customer key",
        "",
    ),
    "EVT-8": (
        "depends_on is missing where AWS needs an order",
        "PaymentLambda and RestApi set the order, and redeploy when any method changes",
        "",
    ),
    "EVT-9": (
        "API Gateway has no role for its logs",
        "RestApi makes aws_api_gateway_account once per provider when a stage logs",
        "",
    ),
    "EVT-10": (
        "A role's ARN as principal of an event bus",
        "EventBus takes account ids, or an organisation",
        "",
    ),
    "EVT-11": (
        "A queue without encryption",
        "Queue is encrypted, has a dead-letter queue, and refuses connections without TLS",
        "",
    ),
    "EVT-12": (
        "No custom domain",
        "CustomDomain makes certificate, validation, domain, mapping and record",
        "",
    ),
    "EVT-13": (
        "Data sources are used and not declared",
        "HardenedStack declares each once per provider and shares it",
        "",
    ),
    "EVT-14": (
        "settings = {} where the provider has a block",
        "Constructs use typed blocks, and the real provider validates every stack",
        "In Terraform JSON a block and a map are written the same way: the mistake cannot be made there.",
    ),
    "EVT-15": (
        "The deprecated data.aws_region.name",
        "Never emitted: the region comes from the argument",
        "",
    ),
    "EVT-16": (
        "A layer's package that does not exist",
        "LambdaLayer packs its folder with archive_file and checks the runtime's layout",
        "",
    ),
    "EVT-17": (
        "Providers are missing from required_providers",
        "HardenedStack declares every provider with a bounded version",
        "",
    ),
    "EVT-18": (
        "A function's timeout of 5 seconds",
        "PaymentLambda takes 30 to 300 seconds and refuses others",
        "",
    ),
    "EVT-19": (
        "Long and short names mixed",
        "Names are made of short construct ids, such as auth-fn",
        "",
    ),
    "EVT-20": (
        "Nested outputs that pipelines cannot read",
        "HardenedStack exports flat outputs, and a nested summary beside them",
        "",
    ),
    "TRD-1": (
        "One run and one workspace for each region",
        "One stack holds all regions, in one plan",
        "",
    ),
    "TRD-2": (
        "Names with different beginnings",
        "Naming begins every name with project and environment",
        "",
    ),
    "TRD-3": (
        "Address ranges made up as they were needed",
        "AddressPlan gives each region its range; RegionalVpc has fixed places for tiers, and refuses overlaps",
        "",
    ),
    "TRD-4": (
        "A self-signed certificate for a .local name",
        "WebTier takes a certificate or a validated domain; without one HTTP in dev only",
        "",
    ),
    "TRD-5": (
        "A bare Aurora cluster",
        "AuroraProvisioned sets parameter groups, key, monitoring, insights, logs, IAM login, backups and protections",
        "",
    ),
    "TRD-6": (
        "Scaling alarms at 70 and 20 percent, and few metrics",
        "WebTier scales at 70 and 30 percent, with group metrics and cooldowns, or tracks a target",
        "",
    ),
    "TRD-7": (
        "templatefile() of a file that is not there",
        "WebTier renders user data in Python; machines take IMDSv2 only",
        "",
    ),
    "TRD-8": (
        "The backend depends on the workspace",
        "The backend may be partial, and every stack has a key of its own",
        "",
    ),
    "TRD-9": (
        "Nested maps as variables",
        "Constructs take few flat, typed arguments with defaults",
        "",
    ),
    "TRD-10": (
        "Flat and poor outputs",
        "HardenedStack adds deployment_summary, grouped by region and construct",
        "",
    ),
    "TRD-11": (
        "No log groups for the application and the load balancer",
        "WebTier makes log groups with retention and key, and writes access logs to the region's bucket",
        "",
    ),
    "TRD-12": (
        "Tags here and there",
        "HardenedStack sets default_tags on every provider",
        "",
    ),
    "TRD-13": (
        "Several buckets for each region",
        "RegionalBucket: one hardened bucket for a region",
        "",
    ),
}
"""By id: the mistake, what prevents it, and why no rule can find it; empty where rules do."""
