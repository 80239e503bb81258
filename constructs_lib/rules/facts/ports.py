"""Ports that must not be open to the internet."""

from __future__ import annotations

from typing import Final

ADMINISTRATION: Final = {
    22: "SSH",
    23: "Telnet",
    135: "Windows RPC",
    445: "SMB",
    2375: "Docker",
    2376: "Docker",
    3389: "RDP",
    5900: "VNC",
    5985: "WinRM",
    5986: "WinRM",
}
"""Ports for remote administration; the IANA service name registry, November 2025."""

DATABASES: Final = {
    1433: "SQL Server",
    1521: "Oracle",
    2379: "etcd",
    3306: "MySQL",
    5432: "PostgreSQL",
    5439: "Redshift",
    6379: "Redis",
    8111: "DAX",
    9042: "Cassandra",
    9092: "Kafka",
    9200: "OpenSearch",
    9300: "OpenSearch",
    11211: "Memcached",
    27017: "MongoDB",
}
"""Default ports of databases and caches; the IANA service name registry and the vendors' pages, November 2025."""

FORBIDDEN: Final = ADMINISTRATION | DATABASES
