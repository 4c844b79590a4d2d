"""Settings: one declaration each, three sources, and errors that name the thing and the way on."""

from __future__ import annotations

import pytest

from otelkit.config import PRESETS, Config, declared, load
from otelkit.errors import ConfigError
from otelkit.settings_field import declaration

PRESET_NAMES = ", ".join(PRESETS)


def problems_of(settings=None, environ=None) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as raised:
        load(settings or {}, environ or {})
    return raised.value.problems


def test_nothing_configured_is_production():
    config = load({}, {})
    assert (config.preset, config.export.endpoint, config.logs.exporters) == ("production", "http://127.0.0.1:4318", ("console",))


def test_debug_chooses_development():
    assert load({}, {}, debug=True).preset == "development"
    assert load({"preset": "production"}, {}, debug=True).preset == "production"


def test_the_environment_wins_over_settings_and_settings_over_the_preset():
    settings = {"preset": "development", "metrics": {"interval": 7}, "export": {"interval": 3}}
    config = load(settings, {"OTEL_METRIC_EXPORT_INTERVAL": "2500"})
    assert config.metrics.interval == 2.5
    assert config.export.interval == 3.0
    assert config.logs.format == "text"
    assert config.sources == {"metrics.interval": "OTEL_METRIC_EXPORT_INTERVAL", "export.interval": 'OTELKIT["export"]["interval"]'}


def test_resource_attributes_that_have_a_setting_are_that_setting():
    """OTEL_RESOURCE_ATTRIBUTES is the environment, so it wins over OTELKIT; OTEL_SERVICE_NAME wins over both."""
    service = load(
        {"service": {"name": "from-settings", "environment": "laptop", "owner": "team-a"}},
        {"OTEL_SERVICE_NAME": "orders", "OTEL_RESOURCE_ATTRIBUTES": "service.name=x,deployment.environment.name=prod,team=b%2Cc"},
    ).service
    assert (service.name, service.environment, service.owner, service.attributes) == ("orders", "prod", "team-a", {"team": "b,c"})


def test_exporters_none_means_nowhere():
    config = load({}, {"OTEL_TRACES_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "otlp,console"})
    assert (config.traces.exporters, config.logs.exporters) == ((), ("otlp", "console"))


def test_unknown_setting_offers_the_nearest_name():
    """A23: a typo in settings costs one glance, not an afternoon."""
    assert problems_of({"traces": {"sample_rate": 0.5}}) == (
        'OTELKIT["traces"]["sample_rate"] is not a setting. Did you mean "sample_ratio"?',
    )


@pytest.mark.parametrize(
    ("settings", "environ", "message"),
    [
        ({"traces": {"sample_ratio": 2}}, {}, 'OTELKIT["traces"]["sample_ratio"] must be between 0 and 1; it is 2.'),
        ({"traces": {"sample_ratio": "half"}}, {}, 'OTELKIT["traces"]["sample_ratio"] must be a number; it is \'half\'.'),
        ({"logs": {"access": 1}}, {}, 'OTELKIT["logs"]["access"] must be True or False; it is 1.'),
        ({"metrics": 4}, {}, 'OTELKIT["metrics"] must be a dictionary; it is 4.'),
        (
            {"preset": "prod"},
            {},
            f'OTELKIT["preset"] must be one of {PRESET_NAMES}; it is \'prod\'. Did you mean "production"?',
        ),
        (
            {},
            {"OTELKIT_PRESET": "x"},
            f"OTELKIT_PRESET must be one of {PRESET_NAMES}; it is 'x'. There are {', '.join(sorted(PRESETS))}.",
        ),
        ({}, {"OTEL_METRIC_EXPORT_INTERVAL": "fast"}, "OTEL_METRIC_EXPORT_INTERVAL must be a number"),
        (
            {},
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "localhost:4318"},
            "OTEL_EXPORTER_OTLP_ENDPOINT must be an address like http://127.0.0.1:4318",
        ),
        ({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://h:99999"}, "OTEL_EXPORTER_OTLP_ENDPOINT must be an address"),
        ({}, {"OTEL_LOGS_EXPORTER": "loki"}, "OTEL_LOGS_EXPORTER may hold console, otlp; it is 'loki'."),
        (
            {},
            {"OTEL_RESOURCE_ATTRIBUTES": "novalue"},
            "OTEL_RESOURCE_ATTRIBUTES must be like key=value,key=value; it is 'novalue'.",
        ),
        (
            {},
            {"OTEL_EXPORTER_OTLP_TIMEOUT": "10"},
            "must be between 0.1 and 60; it is '10', which is 0.01 seconds (the variable holds milliseconds).",
        ),
        ({}, {"OTEL_EXPORTER_OTLP_TIMEOUT": "10s"}, "OTEL_EXPORTER_OTLP_TIMEOUT must be a number of milliseconds; it is '10s'."),
        ({"export": {"endpoint": "http://h:4318\n"}}, {}, "must be an address like"),
        ({1: 2}, {}, 'OTELKIT["1"] is not a setting.'),
        ({"traces": {None: 2}}, {}, 'OTELKIT["traces"]["None"] is not a setting.'),
        ({}, {"OTELKIT_ENABLED": "maybe"}, "OTELKIT_ENABLED must be True or False; it is 'maybe'."),
        ({"requests": {"excluded_paths": ["livez"]}}, {}, "must be paths that start with \"/\"; it is ['livez']."),
        ({"requests": {"excluded_paths": "/livez"}}, {}, "must be a list of texts; it is '/livez'."),
    ],
)
def test_a_bad_value_is_named_with_what_it_must_be(settings, environ, message):
    """A23."""
    (problem,) = problems_of(settings, environ)
    assert message in problem


@pytest.mark.parametrize(
    ("settings", "environ"),
    [
        ({}, {"OTEL_EXPORTER_OTLP_HEADERS": "hunter2"}),
        ({"export": {"headers": "x-team: hunter2"}}, {}),
        ({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "htp://otel:hunter2@collector:4318"}),
        ({"export": {"traces_endpoint": "http://otel:hunter2@collector:99999"}}, {}),
    ],
)
def test_an_error_about_a_secret_does_not_show_it(settings, environ):
    """C1: the message of a failed start is in every log."""
    (problem,) = problems_of(settings, environ)
    assert "hunter2" not in problem


def test_white_space_around_a_variable_is_dropped():
    """A secret that is mounted as a file often ends in a line break."""
    assert load({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": " http://collector:4318\n"}).export.endpoint == "http://collector:4318"


def test_all_problems_come_in_one_error():
    """A23."""
    found = problems_of({"expor": {}, "traces": {"sample_ratio": 3}}, {"OTEL_BSP_MAX_QUEUE_SIZE": "0"})
    assert len(found) == 3


def test_settings_that_are_no_dictionary_are_refused():
    assert problems_of(["development"]) == ("OTELKIT must be a dictionary; it is ['development'].",)


def test_an_empty_variable_counts_as_unset():
    """OpenTelemetry's specification of environment variables."""
    assert load({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": ""}).sources == {}


@pytest.mark.parametrize("variable", [{"OTEL_SDK_DISABLED": "true"}, {"OTELKIT_ENABLED": "false"}])
def test_it_can_be_switched_off_from_outside(variable):
    config = load({}, variable)
    assert not config.enabled
    assert config.sources["enabled"] in variable


def test_every_setting_explains_itself_and_every_default_passes_its_own_check():
    for section, name, item in declared():
        says = declaration(item)
        assert says.help.endswith("."), f"{section}.{name} needs a help sentence"
        for preset in PRESETS.values():
            value = getattr(getattr(preset, section) if section else preset, name)
            assert says.check is None or says.check(value) is None, f"{preset.preset}: {section}.{name}"


def test_presets_are_complete_values():
    assert all(isinstance(preset, Config) and preset.preset == name for name, preset in PRESETS.items())
