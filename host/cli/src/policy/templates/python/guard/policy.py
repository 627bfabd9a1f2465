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
        config.update({"max_failed_percent": 5, "min_running": 50} | json.loads(config_json))


class Watch(exports.Watch):
    def judge(self, health):
        running = sum(window.running for window in health.gray)
        failed = sum(window.failed for window in health.gray)
        if running < config["min_running"] or failed * 100 <= running * config["max_failed_percent"]:
            return Advice_CarryOn()
        return Advice_Suspend(f"{failed} of {running} devices fail, more than {config['max_failed_percent']} %")
