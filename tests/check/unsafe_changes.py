"""Changes of which both states are fine and the way between them is not, as people made them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

Files = Mapping[str, str]

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  replicas: 2
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
        release: v1  # of the chart
    spec:
      terminationGracePeriodSeconds: 60
      containers:
      - name: web
        image: registry.example/web:1.4.2
        ports:
        - name: http
          containerPort: 8080
        readinessProbe:
          httpGet:
            path: /ready
            port: http
        lifecycle:
          preStop:
            sleep:
              seconds: 35
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: web
  namespace: shop
spec:
  selector:
    app: web
    release: v1
  ports:
  - port: 80
    targetPort: http
"""
BUDGET = """\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: web
  namespace: shop
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      app: web
"""
SETTINGS = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: web
  namespace: shop
data: {}
"""
INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  namespace: shop
  annotations:
    # The targets are pods.
    alb.ingress.kubernetes.io/target-type: ip
spec:
  ingressClassName: alb
  rules:
  - http:
      paths:
      - path: /
        pathType: Prefix
        backend:
          service:
            name: web
            port:
              number: 80
"""
FLUX = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: apps
  namespace: flux-system
spec:
  interval: 10m
  path: ./apps
  prune: true  # what is gone from Git
  sourceRef:
    kind: GitRepository
    name: flux-system
"""
ARGO = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: apps
  namespace: argocd
  finalizers:
  - resources-finalizer.argocd.argoproj.io
spec:
  project: default
  source:
    repoURL: https://git.example/shop
    path: apps
  destination:
    server: https://kubernetes.default.svc
    namespace: shop
"""
NGINX = (
    INGRESS.replace("ClassName: alb", "ClassName: nginx")
    .replace("  annotations:\n    # The targets are pods.\n    alb.ingress.kubernetes.io/target-type: ip\n", "")
    .replace("  - http:", "  - host: shop.example.com\n    http:")
)
ROUTE = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: web
  namespace: shop
spec:
  parentRefs:
  - name: public
    namespace: gateways
  hostnames:
  - shop.example.com
  rules:
  - backendRefs:
    - name: web
      port: 80
"""
BASE = {"web.yaml": DEPLOYMENT, "service.yaml": SERVICE, "budget.yaml": BUDGET}


def edited(files: Files, **replacements: tuple[str, str]) -> Files:
    """The files with one text in the place of another, by the name of the file without its suffix."""
    texts = {f"{name}.yaml": files[f"{name}.yaml"].replace(*pair) for name, pair in replacements.items()}
    assert all(text != files[path] for path, text in texts.items())
    return {**files, **texts}


def everywhere(files: Files, old: str, new: str) -> Files:
    return {path: text.replace(old, new) for path, text in files.items()}


V2 = ("release: v1", "release: v2")
TO_SHOP = ("name: web\n  namespace", "name: shop\n  namespace")
BALANCED = edited(BASE, service=("spec:\n", "spec:\n  type: LoadBalancer\n"))
GREEN = SERVICE.replace("name: web\n", "name: web-green\n", 1)
SWITCHED = {**BASE, "green.yaml": GREEN, "ingress.yaml": INGRESS}
CLASS = "  type: LoadBalancer\n  loadBalancerClass: service.k8s.aws/nlb\n"
PUBLIC = "  annotations:\n    service.beta.kubernetes.io/aws-load-balancer-scheme: internet-facing\nspec:\n"
BY_NUMBER = edited(BASE, service=("targetPort: http", "targetPort: 8080"))
NAMELESS = edited(
    edited(BY_NUMBER, web=("- name: http\n          containerPort: 8080", "- containerPort: 8080")),
    web=("port: http", "port: 8080"),
)
PATIENT = edited(BASE, web=("Seconds: 60", "Seconds: 300"))


class UnsafeChange(NamedTuple):
    """A change, the rule that names it, the titles of its steps, and what they need to be done by hand.

    Without steps `no_steps` says why.
    """

    base: Files
    head: Files
    rule: str
    steps: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()
    no_steps: str | None = None


UNSAFE_CHANGES = {
    "selector and labels in step": UnsafeChange(
        BASE,
        edited(BASE, web=V2, service=V2),
        "service-drops-old-pods",
        (
            'Service "web" selects old and new pods, by "app=web" alone.',
            'Service "web" selects only new pods: no old one runs any more.',
        ),
    ),
    "another label to select by": UnsafeChange(
        BASE,
        edited(
            BASE,
            web=("        release: v1", "        component: front"),
            service=("    app: web\n    release: v1", "    component: front"),
        ),
        "service-drops-old-pods",
        (
            'Service "web" selects old and new pods, by "app=web" alone.',
            'Service "web" selects only new pods: no old one runs any more.',
        ),
    ),
    "port number in step": UnsafeChange(
        BY_NUMBER,
        edited(BY_NUMBER, service=("8080", "9090"), web=("8080", "9090")),
        "service-drops-old-pods",
        (
            'Service "web" sends to port "http", which old and new pods have.',
            'Service "web" sends to port "9090": no old pod runs any more.',
        ),
    ),
    "number of a port that has no name": UnsafeChange(
        NAMELESS,
        edited(NAMELESS, service=("8080", "9090"), web=("8080", "9090")),
        "service-drops-old-pods",
        (
            'Pods of Deployment "web" call their port "app".',
            'Service "web" sends to port "app".',
            'New pods of Deployment "web" have the port under its new number.',
            'Service "web" sends to port "9090": no old pod runs any more.',
        ),
    ),
    "backend of an Ingress": UnsafeChange(
        SWITCHED,
        edited(SWITCHED, ingress=("name: web\n            port", "name: web-green\n            port")),
        "backend-switched",
        (
            'Ingress "web" fills a target group for "web-green" too, while "web" gets all requests.',
            'Ingress "web" sends to "web-green", whose targets are healthy, and keeps those of "web".',
            'Ingress "web" sends to "web-green" alone: nothing is in flight to "web" any more.',
        ),
    ),
    "scheme of a load balancer": UnsafeChange(
        BALANCED,
        edited(BALANCED, service=("spec:\n", PUBLIC)),
        "load-balancer-replaced",
        (
            'Service "web-next" gets a load balancer of the new kind beside that of "web".',
            'Service "web" gets its new load balancer.',
            'Service "web-next" goes.',
        ),
        (
            (
                'Let DNS and all clients move to the address of Service "web-next", and wait until nothing '
                'comes in at that of "web" any more.'
            ),
            (
                'Let DNS and all clients move to the address of Service "web", and wait until nothing comes in '
                'at that of "web-next" any more.'
            ),
        ),
    ),
    "no load balancer any more": UnsafeChange(
        BALANCED,
        edited(BALANCED, service=("  type: LoadBalancer\n", ""), budget=("maxUnavailable: 1", "minAvailable: 1")),
        "load-balancer-replaced",
        (
            'Service "web" keeps its load balancer while the rest of this is applied.',
            'Service "web" gives up its load balancer.',
        ),
        ('Let all clients leave the address of Service "web", and wait until nothing comes in there any more.',),
    ),
    "class of a load balancer": UnsafeChange(
        BALANCED,
        edited(BALANCED, service=("  type: LoadBalancer\n", CLASS)),
        "immutable-field-changed",
        (
            'Service "web-next" with the new settings stands beside "web".',
            'Service "web" is created again.',
            'Service "web-next" goes.',
        ),
        (
            (
                'Let all clients, those in the cluster too, move to Service "web-next", wait until nothing '
                'comes in at "web" any more, and run "kubectl delete service web --namespace=shop".'
            ),
            'Let all clients move to Service "web", and wait until nothing comes in at "web-next" any more.',
        ),
    ),
    "workload renamed": UnsafeChange(
        BASE,
        edited(BASE, web=TO_SHOP),
        "workload-renamed",
        (
            'Deployment "shop" runs beside Deployment "web", behind the same Services.',
            'Deployment "web" goes: the pods of Deployment "shop" are ready and get its requests.',
        ),
    ),
    "workload renamed with its labels": UnsafeChange(
        BASE,
        edited(everywhere(BASE, "app: web", "app: shop"), web=TO_SHOP),
        "workload-renamed",
        (
            'Deployment "shop" starts beside Deployment "web", which still gets the requests.',
            'Services send to Deployment "shop", whose pods are ready, while Deployment "web" still runs.',
            'Deployment "web" goes: the pods of Deployment "shop" are ready and get its requests.',
        ),
    ),
    "drain lowered": UnsafeChange(
        PATIENT,
        edited(PATIENT, web=("seconds: 35", "seconds: 30")),
        "drain-lowered",
        no_steps="order_is_no_help",
    ),
    "grace lowered": UnsafeChange(PATIENT, BASE, "grace-lowered", no_steps="order_is_no_help"),
    "another namespace": UnsafeChange(
        {**BASE, "settings.yaml": SETTINGS},
        everywhere({**BASE, "settings.yaml": SETTINGS}, "namespace: shop", "namespace: bank"),
        "namespace-moved",
        (
            'Deployment "web" runs in both namespaces, with all that goes with it.',
            'Nothing is left in namespace "shop".',
        ),
        ('Let all clients send to namespace "bank", and wait until nothing comes in at "shop" any more.',),
    ),
    "Kustomization of Flux": UnsafeChange(
        {"clusters/apps.yaml": FLUX},
        {"clusters/apps.yaml": FLUX.replace("name: apps", "name: shop")},
        "gitops-owner-renamed",
        (
            'Kustomization "apps" deletes nothing when it goes.',
            'Kustomization "shop" takes over what "apps" applied.',
        ),
    ),
    "Application of Argo CD": UnsafeChange(
        {"clusters/apps.yaml": ARGO},
        {"clusters/apps.yaml": ARGO.replace("name: apps", "name: shop")},
        "gitops-owner-renamed",
        (
            'Application "apps" deletes nothing when it goes.',
            'Application "shop" takes over what "apps" applied.',
        ),
    ),
    "class of an Ingress": UnsafeChange(
        {**BASE, "ingress.yaml": NGINX},
        {**BASE, "ingress.yaml": NGINX.replace("ClassName: nginx", "ClassName: traefik")},
        "ingress-replaced",
        (
            'Ingress "web-next" of class "traefik" serves the same beside "web".',
            'Ingress "web" moves to class "traefik".',
            'Ingress "web-next" goes.',
        ),
        (
            (
                'Let DNS point to the load balancer of Ingress "web-next", and wait until nothing comes in for Ingress '
                '"web" any more.'
            ),
            (
                'Let DNS point to the load balancer of Ingress "web", and wait until nothing comes in for Ingress '
                '"web-next" any more.'
            ),
        ),
    ),
    "Ingress replaced by a route": UnsafeChange(
        {**BASE, "ingress.yaml": NGINX},
        {**BASE, "ingress.yaml": ROUTE},
        "ingress-replaced",
        (
            'HTTPRoute "web" serves "shop.example.com" beside Ingress "web".',
            'Ingress "web" goes.',
        ),
        (
            (
                'Let DNS point to the load balancer of HTTPRoute "web", and wait until nothing comes in for Ingress '
                '"web" any more.'
            ),
        ),
    ),
    "selector of a workload": UnsafeChange(
        BASE,
        edited(BASE, web=("      app: web\n  template", "      app: web\n      release: v1\n  template")),
        "immutable-field-changed",
        ('Deployment "web" is created again and takes over the pods that run.',),
        (
            (
                'Pause what applies manifests by itself, and run "kubectl delete deployment web '
                '--namespace=shop --cascade=orphan".'
            ),
        ),
    ),
    "labels of everything": UnsafeChange(
        BASE,
        everywhere(BASE, "app: web", "app: shop"),
        "immutable-field-changed",
        no_steps="not_safe",
    ),
}
