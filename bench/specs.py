"""Specs to measure with: the same bytes in every run, clean, and as people write them."""

from __future__ import annotations

from pathlib import Path


def kubeone(lines: int, name: str = "prod") -> str:
    """A KubeOne manifest of about ``lines`` lines: the fixed part, and workers until it is long enough."""
    text = _KUBEONE.format(name=name)
    number = 0
    while text.count("\n") < lines - 3:
        number += 1
        text += _WORKER.format(name=name, number=number, zone="abc"[number % 3])
    return text


def registries(lines: int) -> str:
    """A registries.yaml of about ``lines`` lines: mirrors with rewrites, and up to ten registries behind them."""
    hosts = max(1, min(10, lines // 30))
    count = (lines - 2 - 6 * hosts) // 5
    mirrors = "".join(_MIRROR.format(number=each, host=each % hosts) for each in range(count))
    configs = "".join(_CONFIG.format(number=each) for each in range(hosts))
    return f"mirrors:\n{mirrors}configs:\n{configs}"


def deployment(number: int) -> str:
    """A manifest that is none of ours: what most YAML files of a repository are."""
    return _DEPLOYMENT.format(number=number)


def write(path: Path, text: str) -> Path:
    """``text`` as a file; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


_KUBEONE = """\
# The cluster {name}: its nodes pull everything from registry.corp:5000.
---
apiVersion: kubeone.k8c.io/v1beta2
kind: KubeOneCluster
name: {name}
versions:
  kubernetes: "1.34.1"
cloudProvider:
  aws: {{}}
  external: true
apiEndpoint:
  host: api.{name}.corp
controlPlane:
  hosts:
    - publicAddress: 203.0.113.10
      privateAddress: 10.0.0.10
      sshUsername: ubuntu
containerRuntime:
  containerd:
    registries:
      docker.io:
        mirrors:
          - https://registry.corp:5000
      public.ecr.aws:
        mirrors:
          - https://registry.corp:5000
registryConfiguration:
  overwriteRegistry: registry.corp:5000
clusterNetwork:
  podSubnet: 10.244.0.0/16
  serviceSubnet: 10.96.0.0/12
  cni:
    canal:
      mtu: 1450
features:
  metricsServer:
    enable: true
  nodeLocalDNS:
    deploy: true
dynamicWorkers:
"""
_WORKER = """\
  - name: {name}-{number}
    replicas: 3
    providerSpec:
      operatingSystem: ubuntu
      labels:
        zone: "eu-central-1{zone}"  # one pool for each zone
      cloudProviderSpec:
        region: eu-central-1
        availabilityZone: "eu-central-1{zone}"
        instanceType: t3.medium
        diskSize: 50
        diskType: gp3
      operatingSystemSpec:
        distUpgradeOnBoot: false
"""
_MIRROR = """\
  registry-{number}.example.com:
    endpoint:
      - "https://registry-{host}.corp:5000"
    rewrite:
      "^team-{number}/(.*)$": "mirror/team-{number}/$1"
"""
_CONFIG = """\
  registry-{number}.corp:5000:
    auth:
      username: puller
      password: "not-a-real-one-{number}"
    tls:
      ca_file: /etc/ssl/certs/corp-{number}.pem
"""
_DEPLOYMENT = """\
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: service-{number}
  labels:
    app: service-{number}
spec:
  replicas: 2
  selector:
    matchLabels:
      app: service-{number}
  template:
    metadata:
      labels:
        app: service-{number}
    spec:
      containers:
        - name: main
          image: registry.corp:5000/team/service-{number}:1.{number}.0
          ports:
            - containerPort: 8080
          resources:
            limits:
              cpu: 500m
              memory: 256Mi
"""
