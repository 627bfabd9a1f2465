//! At which organisation nodes an endpoint application may be used (E9): a pure function of open products and
//! assignments.

use std::collections::BTreeSet;

use berth_base::ids::{EndpointAppId, InstanceId, OrgNodeId};

/// What reach depends on of an organisation node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The VID.
    pub id: OrgNodeId,
    /// Whether only the endpoint applications that are assigned to it may be used at it.
    pub limited: bool,
    /// The product instances that are open on it.
    pub open: BTreeSet<InstanceId>,
    /// The endpoint applications that are assigned to it.
    pub assigned: BTreeSet<EndpointAppId>,
}

/// The nodes at which the endpoint application `cid`, whose active product instances are `active`, may be used, in the
/// order of `nodes`. `None` when the merchant has no nodes at all, and it may be used everywhere.
///
/// At least one of its active product instances must be open on the node. An endpoint application that is assigned to
/// nodes may be used at those only; one that is assigned to none, at all nodes that are not limited.
pub fn reach(nodes: &[Node], cid: &EndpointAppId, active: &BTreeSet<InstanceId>) -> Option<Vec<OrgNodeId>> {
    if nodes.is_empty() {
        return None;
    }
    let free = !nodes.iter().any(|node| node.assigned.contains(cid));
    let usable = |node: &&Node| {
        let allowed = node.assigned.contains(cid) || free && !node.limited;
        allowed && !node.open.is_disjoint(active)
    };
    Some(nodes.iter().filter(usable).map(|node| node.id.clone()).collect())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set its scene should stop")]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn cid(number: usize) -> EndpointAppId {
        format!("cid_{number:026}").parse().unwrap()
    }

    fn instances(numbers: &[usize]) -> BTreeSet<InstanceId> {
        numbers.iter().map(|number| format!("pi-{number}").parse().unwrap()).collect()
    }

    fn node(number: usize, limited: bool, open: &[usize], assigned: &[usize]) -> Node {
        let id = format!("vid-{number}").parse().unwrap();
        Node { id, limited, open: instances(open), assigned: assigned.iter().copied().map(cid).collect() }
    }

    fn reached(nodes: &[Node], app: usize, active: &[usize]) -> Vec<String> {
        reach(nodes, &cid(app), &instances(active)).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn e9_a_merchant_without_nodes_sets_no_bounds() {
        assert_eq!(reach(&[], &cid(1), &instances(&[1])), None);
    }

    #[test]
    fn e9_the_table_of_reach() {
        // open there?, limited?, assigned there?, assigned elsewhere? → may be used there
        let table = [
            (false, false, false, false, false),
            (false, false, true, false, false),
            (true, false, false, false, true),
            (true, false, false, true, false),
            (true, false, true, false, true),
            (true, false, true, true, true),
            (true, true, false, false, false),
            (true, true, false, true, false),
            (true, true, true, false, true),
            (true, true, true, true, true),
        ];
        for (open, limited, here, elsewhere, expected) in table {
            let of = |yes: bool| if yes { &[1][..] } else { &[] };
            let nodes = [node(1, limited, of(open), of(here)), node(2, false, &[], of(elsewhere))];
            let may = reached(&nodes, 1, &[1]) == ["vid-1"];
            assert_eq!(may, expected, "open {open} limited {limited} here {here} elsewhere {elsewhere}");
        }
    }

    #[test]
    fn e9_what_is_not_active_opens_no_door() {
        let nodes = [node(1, false, &[1, 2], &[]), node(2, false, &[2], &[])];
        assert_eq!(reached(&nodes, 1, &[1]), ["vid-1"]);
        assert_eq!(reached(&nodes, 1, &[]), [""; 0]);
    }

    fn any_nodes() -> impl Strategy<Value = Vec<Node>> {
        let one = (any::<bool>(), vec(0..4usize, 0..4), vec(0..3usize, 0..3));
        vec(one, 1..6).prop_map(|nodes| {
            let numbered = nodes.into_iter().enumerate();
            numbered.map(|(number, (limited, open, assigned))| node(number, limited, &open, &assigned)).collect()
        })
    }

    proptest! {
        #[test]
        fn e9_reach_is_what_the_rule_says(nodes in any_nodes(), active in vec(0..4usize, 0..4), app in 0..3usize) {
            let (id, own) = (cid(app), instances(&active));
            let assigned = |node: &Node| node.assigned.contains(&id);
            let nowhere = nodes.iter().filter(|node| assigned(node)).count() == 0;
            let reached = reach(&nodes, &id, &own).unwrap();
            for node in &nodes {
                let open = node.open.intersection(&own).count() > 0;
                let rule = open && (nowhere || assigned(node)) && (!node.limited || assigned(node));
                prop_assert_eq!(reached.contains(&node.id), rule);
            }
        }

        #[test]
        fn e9_a_limit_never_widens_a_reach(nodes in any_nodes(), active in vec(0..4usize, 0..4), at in any::<prop::sample::Index>()) {
            let mut limited = nodes.clone();
            at.get_mut(&mut limited[..]).limited = true;
            for app in 0..3 {
                let before = reach(&nodes, &cid(app), &instances(&active)).unwrap();
                let after = reach(&limited, &cid(app), &instances(&active)).unwrap();
                prop_assert!(after.iter().all(|node| before.contains(node)));
            }
        }

        #[test]
        fn e9_more_products_never_narrow_a_reach(nodes in any_nodes(), active in vec(0..4usize, 0..4), more in 0..4usize) {
            let before = reach(&nodes, &cid(1), &instances(&active)).unwrap();
            let after = reach(&nodes, &cid(1), &instances(&[active, vec![more]].concat())).unwrap();
            prop_assert!(before.iter().all(|node| after.contains(node)));
        }
    }
}
