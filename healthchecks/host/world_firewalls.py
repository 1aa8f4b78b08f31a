"""The rules that common firewalls make, in the commands that make them; each lets port 22 in."""

from __future__ import annotations

UFW = (
    "iptables -P INPUT DROP",
    "iptables -N ufw-before-input",
    "iptables -N ufw-not-local",
    "iptables -N ufw-logging-deny",
    "iptables -N ufw-user-input",
    "iptables -A INPUT -j ufw-before-input",
    "iptables -A ufw-before-input -i lo -j ACCEPT",
    "iptables -A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "iptables -A ufw-before-input -m conntrack --ctstate INVALID -j ufw-logging-deny",
    "iptables -A ufw-before-input -m conntrack --ctstate INVALID -j DROP",
    "iptables -A ufw-before-input -p icmp --icmp-type echo-request -j ACCEPT",
    "iptables -A ufw-before-input -p udp --sport 67 --dport 68 -j ACCEPT",
    "iptables -A ufw-before-input -j ufw-not-local",
    "iptables -A ufw-before-input -d 224.0.0.251/32 -p udp --dport 5353 -j ACCEPT",
    "iptables -A ufw-before-input -j ufw-user-input",
    "iptables -A ufw-not-local -m addrtype --dst-type LOCAL -j RETURN",
    "iptables -A ufw-not-local -m limit --limit 3/min --limit-burst 10 -j ufw-logging-deny",
    "iptables -A ufw-not-local -j DROP",
    "iptables -A ufw-user-input -p tcp --dport 22 -j ACCEPT",
)
UFW_HOLE = "iptables -A ufw-user-input -p tcp --dport {port} -j ACCEPT"

FIREWALLD = (
    "nft add table inet firewalld",
    "nft add chain inet firewalld filter_INPUT {{ type filter hook input priority 10 ; }}",
    "nft add chain inet firewalld filter_INPUT_ZONES",
    "nft add chain inet firewalld filter_IN_public",
    "nft add chain inet firewalld filter_IN_public_allow",
    "nft add rule inet firewalld filter_INPUT ct state {{ established, related }} accept",
    "nft add rule inet firewalld filter_INPUT ct status dnat accept",
    'nft add rule inet firewalld filter_INPUT iifname "lo" accept',
    "nft add rule inet firewalld filter_INPUT ct state invalid drop",
    "nft add rule inet firewalld filter_INPUT jump filter_INPUT_ZONES",
    "nft add rule inet firewalld filter_INPUT reject with icmpx type admin-prohibited",
    'nft add rule inet firewalld filter_INPUT_ZONES iifname "eth0" goto filter_IN_public',
    "nft add rule inet firewalld filter_INPUT_ZONES goto filter_IN_public",
    "nft add rule inet firewalld filter_IN_public jump filter_IN_public_allow",
    "nft add rule inet firewalld filter_IN_public meta l4proto {{ icmp, ipv6-icmp }} accept",
    "nft add rule inet firewalld filter_IN_public_allow tcp dport 22 accept",
)
FIREWALLD_HOLE = "nft add rule inet firewalld filter_IN_public_allow tcp dport {port} accept"
