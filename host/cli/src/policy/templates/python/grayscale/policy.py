"""Admits devices on good networks, and everybody on a list."""

import json

from wit_world import exports
from wit_world.exports.about import Description
from wit_world.exports.gray import Verdict_Admit, Verdict_Refuse
from wit_world.imports import cohort

SCHEMA = """{{schema}}"""

config = {}


class About(exports.About):
    def describe(self):
        return Description("{{name}}", "0.1.0", "Admits devices on good networks, and everybody on a list.", SCHEMA)


class Configure(exports.Configure):
    def configure(self, config_json):
        """Called once per instance, before anything else; raise componentize_py_types.Err("why") to refuse."""
        config.update({"networks": ["wifi"]} | json.loads(config_json))


class Gray(exports.Gray):
    def decide(self, device, task):
        listed = "always" in config and cohort.contains(config["always"], device.guid)
        if listed or device.network in config["networks"]:
            return Verdict_Admit()
        return Verdict_Refuse(f"the network {device.network} is none of {', '.join(config['networks'])}")
