"""ask-scim.py URL TOKEN   lets scim2-tester try an address book, unmodified, and scim2-client read it as a directory would;
prints what was found as JSON: how many checks there were, and those that did not succeed."""

import json
import sys

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import Group, ListResponse, SearchRequest, User
from scim2_tester import Status, check_server

url, token = sys.argv[1:]
http = Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60, trust_env=False)

found = check_server(SyncSCIMClient(http))
counts = {status.name: sum(one.status == status for one in found) for status in Status}
fine = (Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE)
findings = [f"{one.status.name} {one.title} {one.resource_type}: {one.reason}" for one in found if one.status not in fine]

client = SyncSCIMClient(http)
client.discover()
members = client.provider.model_for(next(one for one in client.provider.resource_types if one.name == "User"))
alice = client.create(members(user_name="alice@directory.example"))
listed = client.query(members, query_parameters=SearchRequest(filter='userName eq "ALICE@directory.example"'))
read = [one.id for one in listed.resources or []]
alice.nick_name = "Al"
changed = client.replace(alice)
client.delete(members, alice.id)
client_fine = read == [alice.id] and changed.nick_name == "Al" and listed.total_results == 1

print(json.dumps({"checks": len(found), "counts": counts, "findings": findings, "client": client_fine}))
