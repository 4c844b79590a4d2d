"""The compose file as data: pinned, on loopback, hardened, and complete. Covers the stack's share of C6."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest

from otelkit_demo import manifest
from otelkit_demo.faults import GOOD_VERSION
from otelkit_demo.manifest import Service
from tests.compose.stack_files import COMPOSE, compose_text, config, environment_file, mounts, services, stack

SERVICES = services()
LONG_RUNNING = sorted(name for name, service in SERVICES.items() if service["restart"] != "no")
WITHOUT_A_PROBE_INSIDE = {"collector"}
"""Images that hold one program and no way to ask it anything; stack-ready asks from outside."""

SHOP = tuple(service.name for service in manifest.SERVICES)


REPLICAS = {name: tuple(sorted(one for one in SERVICES if re.fullmatch(rf"{name}(-\d)?", one))) for name in SHOP}
"""Service to the containers that serve it."""

SERVING = {container for containers in REPLICAS.values() for container in containers}
COMPANIONS = {f"{service.name}-{companion.name}" for service in manifest.SERVICES for companion in service.companions}

each_service = pytest.mark.parametrize("name", sorted(SERVICES))
each_long_running = pytest.mark.parametrize("name", LONG_RUNNING)


def test_the_stack_is_the_shop_and_its_backends():
    wanted = {"postgres", "rabbitmq", "balancer", "collector", "prometheus", "alertmanager", "loki", "tempo", "grafana", "load"}
    assert wanted | SERVING | COMPANIONS <= set(SERVICES)
    assert all(REPLICAS.values())


@pytest.mark.parametrize("service", manifest.SERVICES, ids=lambda service: service.name)
def test_a_service_is_started_as_the_manifest_says(service: Service):
    """The same settings, server, neighbours, preparation and companions as on a laptop; addresses alone differ."""
    container = SERVICES[REPLICAS[service.name][0]]
    ports = {other.name: other.port for other in manifest.SERVICES}
    assert container["environment"]["DJANGO_SETTINGS_MODULE"] == service.settings
    assert container["command"][:2] == list(service.serve[:2])
    told = {part for part in service.serve if not part.startswith("127.0.0.1") and "{" not in part} - {"127.0.0.1"}
    assert {str(part) for part in container["command"]} >= told - ({workers(service.serve)} if "--workers" in service.serve else set())
    for variable, peer in service.peers:
        assert container["environment"][variable] == f"http://{peer}:{ports[peer]}"
    for companion in service.companions:
        beside = SERVICES[f"{service.name}-{companion.name}"]
        assert " ".join(beside["command"]).removeprefix("python -m ") == " ".join(companion.run)
        assert beside["environment"] == container["environment"]
    for prepared in service.prepare:
        (once,) = [one for one in SERVICES.values() if one.get("command") == ["python", "-m", *prepared]]
        assert once["environment"]["DJANGO_SETTINGS_MODULE"] == service.settings


def workers(command: Sequence[str]) -> str:
    """What stands behind ``--workers``."""
    return str(command[list(command).index("--workers") + 1])


def threads(command: Sequence[str]) -> int:
    """Requests that a gunicorn of this command serves at once."""
    return int(workers(command)) * int(command[list(command).index("--threads") + 1])


@pytest.mark.parametrize("service", [one for one in manifest.SERVICES if one.serve[0] == "gunicorn"], ids=lambda service: service.name)
def test_the_workers_of_a_service_are_as_many_as_on_a_laptop(service: Service):
    """In one container or in several: replicas scale out what is one process tree there."""
    assert sum(int(workers(SERVICES[name]["command"])) for name in REPLICAS[service.name]) == int(workers(service.serve))


def test_replicas_differ_in_their_name_and_the_canary_s_version_alone():
    assert {name for name, containers in REPLICAS.items() if len(containers) > 1} == {"catalog", "orders"}
    for containers in REPLICAS.values():
        first, *others = [dict(SERVICES[name]) for name in containers]
        for other in others:
            assert other["environment"].pop("OTELKIT_DEMO_VERSION", GOOD_VERSION) == GOOD_VERSION
            assert other | {"hostname": first["hostname"]} == first


def test_whoever_calls_a_replicated_service_asks_the_balancer():
    """It has the name of the service, and each replica one of its own; what must run once is no replica."""
    replicated = {name for name, containers in REPLICAS.items() if len(containers) > 1}
    assert set(SERVICES["balancer"]["networks"]["shop"]["aliases"]) == replicated
    balanced = (COMPOSE / "haproxy" / "haproxy.cfg").read_text()
    ports = {service.name: service.port for service in manifest.SERVICES}
    for name in replicated:
        assert name not in SERVICES
        (section,) = re.findall(rf"^listen {name}\n((?: +.+\n)+)", balanced, re.MULTILINE)
        assert f"bind :{ports[name]}" in section
        assert re.findall(r"server (\S+) (\S+)", section) == [(one, f"{one}:{ports[name]}") for one in REPLICAS[name]]
        assert SERVICES[REPLICAS[name][0]]["environment"]["DJANGO_ALLOWED_HOSTS"].split(",")[:-2] == [name, *REPLICAS[name]]


def test_postgresql_has_a_connection_for_every_thread_of_every_replica():
    """Workers keep their connections. Relay, sweeper, consumer, worker and beat hold one each, and so does a migration."""
    limit = int(re.findall(r"CONNECTION LIMIT (\d+)", (COMPOSE / "postgres" / "init.sh").read_text())[0])
    kept = {}
    for service in manifest.SERVICES:
        commands = [SERVICES[name]["command"] for name in REPLICAS[service.name]]
        kept[service.name] = len(service.companions) + 1 + sum(threads(command) for command in commands if command[0] == "gunicorn")
    assert max(kept.values()) <= limit
    # PostgreSQL's own limit is 100, of which 3 are kept for its administrator; a third is for the async service, which keeps none.
    assert sum(kept.values()) <= 97 * 2 / 3


def test_one_command_sets_a_fault_for_every_process_of_the_shop():
    """The flag file is in a volume that all of them see, the load included."""
    for name in (*SERVING, *COMPANIONS, "load"):
        assert SERVICES[name]["environment"]["OTELKIT_DEMO_FAULTS"] == "/var/lib/otelkit-demo/faults.json"
        assert ("faults", "/var/lib/otelkit-demo") in {(mount.source, mount.target) for mount in mounts(SERVICES[name])}


def test_every_image_is_pinned_in_the_environment_file_and_nowhere_else():
    written = re.findall(r"^\s+image: (.+)$", compose_text(), re.MULTILINE)
    assert written
    assert [image for image in written if not re.fullmatch(r"\$\{\w+_IMAGE\}", image)] == []
    for name, image in environment_file().items():
        if name.endswith("_IMAGE"):
            assert re.search(r":v?\d|:dev$", image), f"{name}={image} floats: give it a version"
            assert "latest" not in image


def test_every_variable_is_defined_and_every_definition_is_used():
    written = set(re.findall(r"\$\{(\w+)\}", compose_text()))
    assert written == set(environment_file())


def test_the_image_that_we_build_starts_from_the_pinned_python():
    assert set(re.findall(r"^FROM (\S+)", (COMPOSE / "Dockerfile").read_text(), re.MULTILINE)) == {"${PYTHON_IMAGE}"}
    (build,) = [service["build"] for service in SERVICES.values() if "build" in service]
    assert build["args"]["PYTHON_IMAGE"] == environment_file()["PYTHON_IMAGE"]


def test_ports_are_published_on_loopback_only_and_each_once():
    """C6: nothing of the demo can be reached from another machine."""
    published = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert published
    hosts = [port.rpartition(":")[0] for port in published]
    assert [host for host in hosts if not host.startswith("127.0.0.1:")] == []
    assert len(set(hosts)) == len(hosts)


def test_only_what_a_browser_asks_is_published_of_the_shop():
    """The gateway, and the stream of notifications that its page follows. Databases and broker are nobody's business."""
    shop = {*SERVING, *COMPANIONS, "postgres", "rabbitmq", "balancer"}
    assert {name for name in shop if "ports" in SERVICES[name]} == {"gateway", "notifications"}


@each_service
def test_a_container_may_do_nothing_it_does_not_need(name: str):
    """C6: non-root, read-only, no capabilities, no way to gain any, bounded in memory, processors and processes."""
    service = SERVICES[name]
    user, _, _group = service["user"].partition(":")
    assert user.isdigit()
    assert int(user) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    limits = service["deploy"]["resources"]["limits"]
    assert set(limits) == {"memory", "cpus", "pids"}
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}


@each_service
def test_every_mounted_path_exists_and_is_read_only(name: str):
    for mount in mounts(SERVICES[name]):
        if mount.path is None:
            assert mount.source in stack()["volumes"], f"volume {mount.source} is not declared"
        else:
            assert mount.path.exists(), f"{mount.source} does not exist"
            assert mount.read_only, f"{name} could write {mount.source}"


def test_no_container_sees_the_docker_socket_or_the_host():
    for service in SERVICES.values():
        assert not any("docker.sock" in mount.source or mount.source.startswith("/") for mount in mounts(service))
        assert not {"network_mode", "pid", "ipc", "devices", "privileged"} & set(service)


@each_long_running
def test_a_long_running_container_says_whether_it_is_well(name: str):
    if name in WITHOUT_A_PROBE_INSIDE:
        assert "healthcheck" not in SERVICES[name]  # `disable: true` makes `docker compose up --wait` fail
        return
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] == "CMD", "CMD-SHELL needs a shell, and half of these images have none"
    # An engine before 25 knows no start_interval: the first probe comes after `interval`.
    assert float(check["interval"].removesuffix("s")) <= 5
    assert "start_interval" not in check


def test_who_waits_waits_for_health_or_for_an_end():
    """`service_started` says nothing: a container has started long before its program listens."""
    for name, service in SERVICES.items():
        for other, wait in service.get("depends_on", {}).items():
            if SERVICES[other]["restart"] == "no":
                assert wait["condition"] == "service_completed_successfully", f"{name} -> {other}"
            else:
                assert wait["condition"] == "service_healthy", f"{name} -> {other}"
                assert "healthcheck" in SERVICES[other], f"{name} waits for the health of {other}, which has no healthcheck"


def test_every_one_shot_but_the_last_has_somebody_waiting_for_it():
    """`docker compose up --wait` takes the end of a container for a failure, unless another one waited for just that."""
    once = {name for name, service in SERVICES.items() if service["restart"] == "no"}
    awaited = {other for service in SERVICES.values() for other in service.get("depends_on", {})}
    assert once - awaited == {"load"}


def test_services_do_not_wait_for_their_telemetry():
    """The app must start, and serve, when every backend is down."""
    telemetry = {"collector", "prometheus", "alertmanager", "loki", "tempo", "grafana"}
    for name in (*SERVING, *COMPANIONS, "balancer", *(f"{service}-migrate" for service in SHOP)):
        assert not telemetry & set(SERVICES[name].get("depends_on", {}))


def test_only_the_collector_and_the_watch_are_on_both_networks():
    """The shop reaches no backend and the backends no database; the Collector is the only road."""
    both = {name for name, service in SERVICES.items() if set(service["networks"]) == {"shop", "telemetry"}}
    assert both == {"collector", "stack-ready"}
    assert {name for name, service in SERVICES.items() if "shop" in service["networks"]} >= {*SERVING, *COMPANIONS, "postgres", "rabbitmq"}
    assert {name for name, service in SERVICES.items() if "telemetry" in service["networks"]} >= {"prometheus", "loki", "tempo", "grafana"}


def test_containers_cannot_reach_beyond_this_machine_by_default():
    for network in stack()["networks"].values():
        assert network["driver_opts"]["com.docker.network.bridge.enable_ip_masquerade"] == "false"


@each_service
def test_a_go_program_knows_its_limit(name: str):
    """Without GOMEMLIMIT the collector of garbage learns of the container's limit by being killed."""
    memory_limit = SERVICES[name].get("environment", {}).get("GOMEMLIMIT")
    if memory_limit is None:
        assert name not in {"collector", "prometheus", "alertmanager", "loki", "tempo", "grafana"}
        return
    limit = int(SERVICES[name]["deploy"]["resources"]["limits"]["memory"].removesuffix("M"))
    assert 0.75 <= int(memory_limit.removesuffix("MiB")) / limit <= 0.92


def test_each_service_has_a_database_and_a_role_of_its_own():
    for name in SHOP:
        (url,) = {SERVICES[container]["environment"]["DATABASE_URL"] for container in REPLICAS[name]}
        assert re.fullmatch(rf"postgresql://{name}:[^@]+@postgres:5432/{name}", url)
        assert SERVICES[f"{name}-migrate"]["environment"]["DATABASE_URL"] == url


def test_passwords_come_from_the_environment_file_and_say_that_they_are_for_the_demo():
    """C6: whoever sees one of them in use knows what it is."""
    secret = re.compile(r"PASSWORD|SECRET|HMAC")
    values = {name: value for name, value in environment_file().items() if secret.search(name)}
    assert len(values) >= 6
    assert [name for name, value in values.items() if not value.startswith("demo-only-")] == []
    assert len(set(values.values())) == len(values)
    assert "demo-only" not in compose_text()
    assert len(values["REDACTION_HMAC_KEY"]) >= 32


def test_grafana_knows_nobody_but_its_admin_and_asks_nobody_outside():
    environment = SERVICES["grafana"]["environment"]
    assert environment["GF_AUTH_ANONYMOUS_ENABLED"] == "false"
    assert environment["GF_USERS_ALLOW_SIGN_UP"] == "false"
    assert environment["GF_PLUGINS_PREINSTALL_DISABLED"] == "true"
    assert environment["GF_ANALYTICS_REPORTING_ENABLED"] == "false"
    assert environment["GF_ANALYTICS_CHECK_FOR_UPDATES"] == "false"
    assert environment["GF_NEWS_NEWS_FEED_ENABLED"] == "false"


def test_the_watch_asks_every_part_that_answers_http():
    environment = SERVICES["stack-ready"]["environment"]
    asked = {name.removeprefix("READY_").lower().replace("_", "-") for name in environment if name.startswith("READY_")}
    assert asked == set(LONG_RUNNING) - {"postgres", "rabbitmq"} - COMPANIONS
    for name, url in environment.items():
        assert url.startswith(f"http://{name.removeprefix('READY_').lower().replace('_', '-')}:")


def test_the_lean_layer_takes_away_grafana_and_tempo_and_nobody_misses_them():
    lean = config("compose.lean.yaml")["services"]
    gone = {name for name, change in lean.items() if change.get("profiles")}
    assert gone == {"grafana", "tempo"}
    for name, service in SERVICES.items():
        if name not in gone:
            assert not gone & set(service.get("depends_on", {})), f"{name} would not start"
    assert {name for name, url in lean["stack-ready"]["environment"].items() if url == ""} == {"READY_GRAFANA", "READY_TEMPO"}


def test_new_volumes_of_shell_less_images_get_their_owner_from_ours():
    """A fresh volume belongs to root unless the image that mounts it first has the folder; ours has them, owned by 10001."""
    made = {mount.source: mount.target for mount in mounts(SERVICES["volume-owners"])}
    dockerfile = (COMPOSE / "Dockerfile").read_text()
    for name in ("collector", "loki", "tempo"):
        assert made[name] in dockerfile
        (data,) = [entry for entry in SERVICES[name]["volumes"] if isinstance(entry, dict)]
        assert data == {"type": "volume", "source": name, "target": made[name], "volume": {"nocopy": True}}
        assert SERVICES[name]["depends_on"]["volume-owners"]["condition"] == "service_completed_successfully"
        assert SERVICES[name]["user"] == SERVICES["volume-owners"]["user"]


def test_the_stack_starts_one_instance_identity_per_container():
    """`service.instance.id` is host:slot, and a container's own host name is new at every start."""
    for name in (*SERVING, *COMPANIONS):
        assert SERVICES[name]["hostname"] == name


def test_these_tests_read_the_file_as_compose_does():
    """The reader above merges anchors and replaces variables: a spot check against values written in two steps."""
    orders: dict[str, Any] = SERVICES["orders-2"]
    assert orders["image"] == environment_file()["DEMO_IMAGE"]
    assert orders["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://collector:4318"
    assert orders["cap_drop"] == ["ALL"]
