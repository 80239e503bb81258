#!/bin/bash
# Sets up a web server. Nothing is served, so that the load balancer replaces the instance, until all of it has worked.
set -euo pipefail
# To the standard output too, which cloud-init writes to the instance's console: the log has no agent until it is installed.
exec > >(tee -a /var/log/web-tier-setup.log) 2>&1
trap 'echo "Setup failed: line $LINENO, status $?"' ERR
umask 022

# The way out may come up after the instance.
for attempt in 1 2 3 4 5 6; do
  if dnf install -y httpd amazon-cloudwatch-agent; then break; fi
  if [ "$attempt" = 6 ]; then exit 1; fi
  sleep 10
done

mkdir -p /opt/aws/amazon-cloudwatch-agent/etc
cat >/opt/aws/amazon-cloudwatch-agent/etc/web-tier.json <<'AGENT'
@agent@
AGENT
/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s \
  -c file:/opt/aws/amazon-cloudwatch-agent/etc/web-tier.json

mkdir -p /etc/web-tier /etc/systemd/system/httpd.service.d
cat >/etc/web-tier/settings <<'SETTINGS'
@settings@
SETTINGS
cat >/etc/systemd/system/httpd.service.d/settings.conf <<'UNIT'
[Service]
EnvironmentFile=/etc/web-tier/settings
UNIT
sed -i 's/^Listen 80$/Listen @port@/' /etc/httpd/conf/httpd.conf
cat >/etc/httpd/conf.d/web-tier.conf <<'HTTPD'
ServerTokens Prod
ServerSignature Off
TraceEnable Off
# Longer than the idle timeout of the load balancer, 60 seconds: it must be the one that closes connections.
KeepAlive On
KeepAliveTimeout 65
Timeout 75
# The access log shows who asked, not the load balancer.
RemoteIPHeader X-Forwarded-For
RemoteIPInternalProxy @network@
<Directory "@pages@">
  Options -Indexes
  AllowOverride None
</Directory>
HTTPD

mkdir -p '@health_folder@'
cat >@pages@/index.html <<'PAGE'
@page@
PAGE
echo ok >'@health_file@'

set -a
. /etc/web-tier/settings
set +a
@commands@

systemctl daemon-reload
systemctl enable httpd
systemctl restart httpd
