"""Rules of databases/access: valid variants pass, and variants of each mistake are found."""

from __future__ import annotations

from tests.rules.asking import doubted, found, good, resources
from tests.rules.catalogue.databases.documents import UNKNOWN, cluster, instance


def test_restored_databases_have_no_administrator_username() -> None:
    for id_ in ("RDS-026", "RDS-027"):
        assert found(id_, instance(snapshot_identifier="shop-2026")) == []


def test_a_literal_password_is_never_shown() -> None:
    (message,) = found("RDS-023", instance(password="correct-horse"))
    assert "correct-horse" not in message


def test_a_password_from_a_secret_or_a_variable_is_not_hard_coded() -> None:
    secret = {"data": {"aws_secretsmanager_secret_version": {"db": {"secret_id": "db"}}}}
    reference = '${jsondecode(data.aws_secretsmanager_secret_version.db.secret_string)["password"]}'
    assert found("RDS-023", instance(password=reference) | secret) == []
    assert found("RDS-023", instance(password="${var.given}") | UNKNOWN) == []


def test_a_generated_password_is_followed_through_locals_and_stacks() -> None:
    generated = {"random_password": {"db": {"length": 20}}}
    local = {"resource": generated, "output": {"password": {"value": "${random_password.db.result}"}}}
    local["locals"] = {"password": "${random_password.db.result}"}
    database = instance(password="${local.password}")
    database["resource"] |= local["resource"]
    assert "must be set without @" in found("RDS-024", database | {"locals": local["locals"]})[0]
    state = {"backend": "local", "config": {"path": "../shop/terraform.tfstate"}}
    there = instance(password="${data.terraform_remote_state.cross-stack-reference-input-shop.outputs.password}")
    there["data"] = {"terraform_remote_state": {"cross-stack-reference-input-shop": state}}
    (message,) = found("RDS-024", local, there)
    assert "aws_db_instance.legacy of the stack shop1" in message


def test_generated_passwords_of_other_resources_are_exempt() -> None:
    assert found("RDS-024", resources(random_password={"other": {"length": 4}})) == []


def test_a_password_without_special_characters_passes() -> None:
    document = instance(password="${random_password.db.result}")
    document["resource"]["random_password"] = {"db": {"length": 40, "special": "false"}}
    assert found("RDS-024", document) == []
    document["resource"]["random_password"]["db"]["length"] = "${var.given}"
    assert doubted("RDS-024", document | UNKNOWN) == ["var.given has no default"]


def test_a_secrets_manager_password_without_punctuation_passes() -> None:
    change = {
        "data.aws_secretsmanager_random_password.stock": {"exclude_punctuation": True, "password_length": 30},
    }
    assert found("RDS-024", good("RDS-024", change)) == []


def test_members_of_a_global_cluster_need_no_managed_password() -> None:
    document = cluster(global_cluster_identifier="world", master_username="owner", master_password="${var.given}")
    assert found("RDS-025", document | UNKNOWN) == []


def test_a_restored_database_has_the_password_of_its_source() -> None:
    assert found("RDS-025", instance(snapshot_identifier="shop-2026")) == []
    assert len(found("RDS-025", instance(snapshot_identifier="shop-2026", password="${random_password.a.result}"))) == 1


def test_admin_is_valid_on_mysql() -> None:
    assert found("RDS-027", instance(engine="mysql", username="admin")) == []
    assert doubted("RDS-027", instance(engine="${var.given}", username="admin") | UNKNOWN) == [
        "var.given has no default"
    ]
