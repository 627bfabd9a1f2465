"""Refuses packages with files that do not belong into a release."""

import json

from wit_world import exports
from wit_world.exports.about import Description
from wit_world.exports.audit import Finding, Place, Severity

SCHEMA = """{{schema}}"""

config = {}


class About(exports.About):
    def describe(self):
        return Description("{{name}}", "0.1.0", "Refuses packages with files that do not belong into a release.", SCHEMA)


class Configure(exports.Configure):
    def configure(self, config_json):
        """Called once per instance, before anything else; raise componentize_py_types.Err("why") to refuse."""
        config.update({"endings": [".psd", ".mp4"]} | json.loads(config_json))


class Audit(exports.Audit):
    def audit(self, subject):
        unwanted = [file.path for file in subject.files() if file.path.endswith(tuple(config["endings"]))]
        return [self.finding(path) for path in unwanted]

    def finding(self, path):
        message = f"{path} does not belong into a release."
        return Finding("unwanted-file", Severity.ERROR, message, Place(path, 1, 1), f"Remove {path} from the package.")
