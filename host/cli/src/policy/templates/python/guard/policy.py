"""Suspends a release on which too many devices fail."""

import json

from wit_world import exports
from wit_world.exports.about import Description
from wit_world.exports.watch import Advice_CarryOn, Advice_Suspend

SCHEMA = """{{schema}}"""

config = {}


class About(exports.About):
    def describe(self):
        return Description("{{name}}", "0.1.0", "Suspends a release on which too many devices fail.", SCHEMA)


class Configure(exports.Configure):
    def configure(self, config_json):
        """Called once per instance, before anything else; raise componentize_py_types.Err("why") to refuse."""
        config.update({"max_failed_percent": 5, "min_devices": 50} | json.loads(config_json))


class Watch(exports.Watch):
    def judge(self, health):
        tried = sum(window.tried for window in health.gray)
        failed = sum(window.failed for window in health.gray)
        if tried < config["min_devices"] or failed * 100 <= tried * config["max_failed_percent"]:
            return Advice_CarryOn()
        return Advice_Suspend(f"{failed} of {tried} devices fail, more than {config['max_failed_percent']} %")
