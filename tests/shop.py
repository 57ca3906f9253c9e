"""The manifests of a small web app, as most tests of a review use them.

Deployment `web` has no fault; what is removed from it makes one. Service `web` sends it traffic, so that rules about
traffic apply to it.
"""

from __future__ import annotations

SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: http}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec:
  maxUnavailable: 1
  selector: {matchLabels: {app: web}}
"""
PROBE = """\
          readinessProbe:
            httpGet: {path: /ready, port: http}
"""
DRAIN = """\
          lifecycle:
            preStop:
              sleep:
                seconds: 10
"""
WITHOUT_BOTH = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          ports:
            - {name: http, containerPort: 8080}
"""
WITHOUT_DRAIN = WITHOUT_BOTH + PROBE
DEPLOYMENT = WITHOUT_DRAIN + DRAIN

# The rules that find what is missing.
PRESTOP = "prestop-drain-missing"
READINESS = "readiness-probe-missing"
